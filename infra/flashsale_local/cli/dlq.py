"""Commands for messages that failed: the dead-letter queue and the parking queue."""

from typing import Annotated

import typer

from flashsale.domain.waiting import PARKING
from flashsale_local.console import console, show
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.queues import failed, parked
from flashsale_local.queues.parked import Ended, Holds, Parked
from flashsale_local.queues.table import queues_table
from flashsale_server.queues.depths import depths
from flashsale_server.queues.messages import FailedMessage

app = typer.Typer(
    help="Look into the dead-letter queue and the parking queue, send messages back, end them.",
    no_args_is_help=True,
)

# Messages that are looked through for those to end.
MOST = 10_000

Queue = Annotated[str, typer.Argument(help="dlq or parking.")]
ParkingQueue = Annotated[str, typer.Argument(help="parking; dlq is the rollback function's.")]
Ids = Annotated[list[str] | None, typer.Option("--message", help="A message id, as peek has it.")]
All = Annotated[bool, typer.Option("--all", help="All messages for which this is the way.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]


@app.command()
def ls() -> None:
    """Show how many messages wait in each queue.

    Example: [bold]flashsale dlq ls[/]
    """
    console.print(queues_table(depths(Target.load(LOCAL).queues)))


@app.command()
def peek(
    queue: Queue = "dlq",
    limit: Annotated[int, typer.Option(min=1, help="Messages to show at most.")] = 20,
) -> None:
    """Show messages with their receive count and why they failed, without consuming them.

    On AWS a look counts as a receive (there is no other way); the emulators have a window for it.

    Example: [bold]flashsale dlq peek parking --limit 5[/]
    """
    target = Target.load(LOCAL)
    messages = failed.look(target, queue, limit)
    if not messages:
        console.print(f"No messages in {queue}.")
        return
    for message in with_services(target, lambda services: failed.with_causes(services, messages)):
        _show_message(message)


@app.command()
def redrive(queue: Queue = "dlq") -> None:
    """Move the messages of a queue back to the queue that they came from.

    dlq goes back to orders (the order is tried again), parking back to dlq (the rollback is).

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
    """Cancel parked orders: CANCELLED in PostgreSQL, units back in the stock once, message deleted.

    As the rollback function does it: an order that is CONFIRMED by now stays so and keeps its
    units. What fails stays parked, and the exit status is 1. Safe to repeat.

    Example: [bold]flashsale dlq cancel parking --all[/]
    """
    target = Target.load(LOCAL)
    chosen = _choose(target, queue, message, all_=all_, holding={Holds.ORDER, Holds.CLAIMS})
    for one in chosen:
        show(f"{one.message.id}  {one.what}")
        show(f"  cause  {one.message.cause or 'unknown; see `flashsale logs rollback`'}")
    _ask("Cancel these orders?", chosen, yes=yes)
    ended = with_services(target, lambda services: parked.cancel(services, target, chosen))
    console.print(
        f"{ended.cancelled} orders are CANCELLED, {ended.released} units went back to the stock. "
        f"{ended.confirmed} orders are CONFIRMED and stay so."
    )
    _tell_of_failures(ended)


@app.command()
def discard(
    queue: ParkingQueue = PARKING,
    message: Ids = None,
    all_: All = False,  # noqa: FBT002
    yes: Yes = False,  # noqa: FBT002
) -> None:
    """Throw parked messages away that are no orders, and print them first: keep what is printed.

    No unit is in them. Orders are refused: cancel them, or redrive them.

    Example: [bold]flashsale dlq discard parking --all --yes > discarded.txt[/]
    """
    target = Target.load(LOCAL)
    chosen = _choose(target, queue, message, all_=all_, holding={Holds.NOTHING})
    for one in chosen:  # before it is gone
        _show_message(one.message)
    _ask("Throw these messages away?", chosen, yes=yes)
    ended = with_services(target, lambda _: parked.discard(target, chosen))
    for id_ in sorted(ended.deleted):
        console.print(f"discarded {id_}")
    _tell_of_failures(ended)


def _choose(
    target: Target, queue: str, ids: list[str] | None, *, all_: bool, holding: set[Holds]
) -> list[Parked]:
    """The messages that are meant, all of which can be ended so."""
    failed.source_of(queue)
    if queue != PARKING:
        raise Problem(
            f"The rollback function works on what is in {queue}: it cancels orders by itself.",
            "Wait until it has parked them; see `flashsale dlq ls`.",
        )
    if bool(ids) == all_:
        raise Problem("Which messages?", "Name them by --message ID, or say --all.")
    found = failed.look(target, PARKING, MOST)
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
        raise Problem(f"{first.message.id}: {first.what}.", f"Its way out: `{first.way_out}`")
    if others:
        console.print(f"{len(others)} other messages stay: see `flashsale verify`.")
    return [one for one in chosen if one.holds in holding]


def _ask(question: str, chosen: list[Parked], *, yes: bool) -> None:
    if not chosen:
        console.print("No such messages in parking.")
        raise typer.Exit
    if not yes:
        typer.confirm(question, abort=True, err=True)


def _tell_of_failures(ended: Ended) -> None:
    for failure in ended.failures:
        show(f"{failure.message_id} stays parked: {failure.cause}")
    if ended.failures:
        raise typer.Exit(1)


def _show_message(message: FailedMessage) -> None:
    console.print(f"[bold]{message.id}[/]  received {message.receives} times")
    show(f"  cause  {message.cause or 'unknown; see `flashsale logs`'}")
    show(f"  body   {message.body}")
