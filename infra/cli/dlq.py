"""Commands for messages that failed: the dead-letter queue and the parking queue."""

from typing import Annotated

import typer

from infra.cli.console import console, queues_table, with_services
from infra.paths import LOCAL
from infra.problems import Problem
from infra.queues import depths
from infra.target import Target

app = typer.Typer(
    help="Look into the dead-letter queue and the parking queue, and send messages back.",
    no_args_is_help=True,
)

# Where the messages of a queue came from.
SOURCES = {"dlq": "orders", "parking": "dlq"}

Queue = Annotated[str, typer.Argument(help="dlq or parking.")]


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
    _source(queue)
    messages = target.cloud.peek(target.queues[queue], limit)
    if not messages:
        console.print(f"No messages in {queue}.")
        return
    ids = [message.id for message in messages]
    causes = with_services(target, lambda services: services.failures.causes(ids))
    for message in messages:
        console.print(f"[bold]{message.id}[/]  received {message.receives} times")
        console.print(f"  cause  {causes.get(message.id, 'unknown; see `flashsale logs`')}")
        console.print("  body   ", end="")
        console.print(message.body, markup=False, soft_wrap=True)


@app.command()
def redrive(queue: Queue = "dlq") -> None:
    """Move the messages of a queue back to the queue that they came from.

    dlq goes back to orders (the order is tried again), parking back to dlq (the rollback is).

    Example: [bold]flashsale dlq redrive parking[/]
    """
    target = Target.load(LOCAL)
    source = _source(queue)
    moved = target.cloud.redrive(target.queues[queue], target.queues[source])
    console.print(f"{moved} messages moved from {queue} to {source}.")


def _source(queue: str) -> str:
    if queue not in SOURCES:
        raise Problem(f"{queue!r} is no queue of failed messages.", "Use dlq or parking.")
    return SOURCES[queue]
