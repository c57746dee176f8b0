"""Commands for failed messages in the dead-letter queues and the parking queue."""

from dataclasses import asdict
from typing import Annotated

import typer

from flashsale.domain.waiting import PARKING
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, print_json, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.queues import failed, parked
from flashsale_local.queues.failed import PAYMENTS_DLQ
from flashsale_local.queues.parked import Ended, Holds, Parked
from flashsale_local.queues.table import queues_table
from flashsale_server.queues.depths import depths
from flashsale_server.queues.messages import FailedMessage

app = typer.Typer(
    help="Show failed messages of orders and payments, redrive, cancel or discard them.",
    no_args_is_help=True,
    add_completion=False,
)

# How many parked messages are read to find those to cancel or discard.
MOST = 10_000

Queue = Annotated[str, typer.Argument(help=f"{failed.NAMES}.")]
ParkingQueue = Annotated[str, typer.Argument(help="parking. The rollback function handles dlq.")]
OperatorsQueue = Annotated[
    str, typer.Argument(help=f"{PARKING} or {PAYMENTS_DLQ}. The rollback function handles dlq.")
]
Ids = Annotated[
    list[str] | None,
    typer.Option("--message", help="A message id, as `flashsale dlq peek` shows it."),
]
All = Annotated[bool, typer.Option("--all", help="All messages that this command can handle.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, for scripts.")]


@app.command()
def ls(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show how many messages wait in each queue.

    Example: [bold]flashsale dlq ls[/]
    """
    found = depths(Target.load(LOCAL).queues)
    if as_json:
        print_json({"queues": {name: asdict(depth) for name, depth in found.items()}})
    else:
        console.print(queues_table(found))


@app.command()
def peek(
    queue: Queue = "dlq",
    limit: Annotated[int, typer.Option(min=1, help="How many messages to show at most.")] = 20,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show messages with their receive count and the cause of the failure. They stay in the queue.

    On AWS each look counts as a receive, because SQS has no other way. Emulators do not count it.

    Example: [bold]flashsale dlq peek parking --limit 5[/]
    """
    target = Target.load(LOCAL)
    messages = failed.look(target, queue, limit)
    if messages:
        messages = with_services(target, lambda services: failed.with_causes(services, messages))
    if as_json:
        print_json({"messages": [asdict(message) for message in messages]})
        return
    if not messages:
        console.print(f"No messages in {queue}.")
    for message in messages:
        _show_message(message)
        if queue == PAYMENTS_DLQ:
            show(f"  what   {parked.read_payment(message).what}")


@app.command()
def redrive(queue: Queue = "dlq") -> None:
    """Move the messages of a queue back to the queue that they came from.

    Messages of dlq go back to orders, where the order is retried. Messages of parking go back to
    dlq, where the rollback is retried. Messages of payments-dlq go back to payments, where the
    payment is retried. It counts once, however often its message comes.

    Example: [bold]flashsale dlq redrive parking[/]
    """
    console.print(failed.redrive(Target.load(LOCAL), queue))


@app.command()
def cancel(
    queue: ParkingQueue = PARKING,
    message: Ids = None,
    all_: All = False,  # noqa: FBT002
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Cancel parked orders, as the rollback function does.

    An order becomes CANCELLED in PostgreSQL, its units go back to the stock once, and its message
    is deleted. An order that is CONFIRMED by now stays so, and keeps its units. A message that
    fails stays parked, and the exit status is 1. The command is idempotent.

    Example: [bold]flashsale dlq cancel parking --all[/]
    """
    target = Target.load(LOCAL)
    if queue == PAYMENTS_DLQ:
        raise Problem(
            f"{queue} has payments. A payment cannot be cancelled here.",
            f"Let it be decided on: `flashsale dlq redrive {queue}`.",
        )
    chosen = _choose(target, queue, message, all_=all_, holding={Holds.ORDER, Holds.CLAIMS})
    for one in chosen:
        show(f"{one.message.id}  {one.what}")
        show(f"  cause  {one.message.cause or 'unknown; see `flashsale logs rollback`'}")
    _ask("Cancel these orders?", chosen, queue, yes=yes)
    ended = with_services(target, lambda services: parked.cancel(services, target, chosen))
    console.print(
        f"{ended.cancelled} orders are CANCELLED, {ended.released} units went back to the stock. "
        f"{ended.confirmed} orders are CONFIRMED and stay so."
    )
    _tell_of_failures(ended, queue)


@app.command()
def discard(
    queue: OperatorsQueue = PARKING,
    message: Ids = None,
    all_: All = False,  # noqa: FBT002
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Delete messages that are neither orders nor payments. Prints each first, so keep the output.

    Such messages hold no units and no money. Orders are rejected: cancel or redrive them instead.
    Payments are rejected: redrive them instead.

    Example: [bold]flashsale dlq discard parking --all --yes > discarded.txt[/]
    """
    target = Target.load(LOCAL)
    chosen = _choose(target, queue, message, all_=all_, holding={Holds.NOTHING})
    for one in chosen:  # before it is deleted
        _show_message(one.message)
    _ask("Delete these messages?", chosen, queue, yes=yes)
    ended = with_services(target, lambda _: parked.discard(target, queue, chosen))
    for id_ in sorted(ended.deleted):
        console.print(f"discarded {id_}")
    _tell_of_failures(ended, queue)


def _choose(
    target: Target, queue: str, ids: list[str] | None, *, all_: bool, holding: set[Holds]
) -> list[Parked]:
    """Return the chosen messages. Each holds one of `holding`."""
    failed.source_of(queue)
    if queue == "dlq":
        raise Problem(
            f"The rollback function handles {queue}: it cancels these orders by itself.",
            "Wait until it has parked the messages. See `flashsale dlq ls`.",
        )
    if bool(ids) == all_:
        raise Problem(
            "No messages were named, or both --message and --all.", "Use --message ID, or --all."
        )
    found = failed.look(target, queue, MOST)
    held = {
        one.message.id: one
        for one in with_services(target, lambda services: parked.read_parked(services, found))
    }
    if missing := sorted(set(ids or ()) - held.keys()):
        raise Problem(f"No message {', '.join(missing)} in {queue}.", "See `flashsale dlq peek`.")
    chosen = [held[id_] for id_ in dict.fromkeys(ids or held)]
    others = [one for one in chosen if one.holds not in holding]
    if others and ids:
        first = others[0]
        raise Problem(f"{first.message.id}: {first.what}.", f"Run `{first.way_out}` instead.")
    if others:
        console.print(f"{len(others)} other messages stay. See `flashsale verify`.")
    return [one for one in chosen if one.holds in holding]


def _ask(question: str, chosen: list[Parked], queue: str, *, yes: bool) -> None:
    if not chosen:
        console.print(f"No such messages in {queue}.")
        raise typer.Exit
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _tell_of_failures(ended: Ended, queue: str) -> None:
    for failure in ended.failures:
        show(f"{failure.message_id} stays in {queue}: {failure.cause}")
    if ended.failures:
        raise typer.Exit(1)


def _show_message(message: FailedMessage) -> None:
    console.print(f"[bold]{message.id}[/]  received {message.receives} times")
    show(f"  cause  {message.cause or 'unknown; see `flashsale logs`'}")
    show(f"  body   {message.body}")
