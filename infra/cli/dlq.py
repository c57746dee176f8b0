"""Commands for messages that failed: the dead-letter queue and the parking queue."""

from typing import Annotated

import typer

from infra import failed
from infra.cli.console import console, queues_table, show, with_services
from infra.paths import LOCAL
from infra.queues import depths
from infra.target import Target

app = typer.Typer(
    help="Look into the dead-letter queue and the parking queue, and send messages back.",
    no_args_is_help=True,
)

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
    messages = failed.look(target, queue, limit)
    if not messages:
        console.print(f"No messages in {queue}.")
        return
    for message in with_services(target, lambda services: failed.with_causes(services, messages)):
        console.print(f"[bold]{message.id}[/]  received {message.receives} times")
        show(f"  cause  {message.cause or 'unknown; see `flashsale logs`'}")
        show(f"  body   {message.body}")


@app.command()
def redrive(queue: Queue = "dlq") -> None:
    """Move the messages of a queue back to the queue that they came from.

    dlq goes back to orders (the order is tried again), parking back to dlq (the rollback is).

    Example: [bold]flashsale dlq redrive parking[/]
    """
    console.print(failed.redrive(Target.load(LOCAL), queue))
