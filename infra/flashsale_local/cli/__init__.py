"""The command `flashsale`."""

from importlib.metadata import version
from typing import Annotated, ClassVar

import typer

from flashsale_local.cli.lazy import Entry, LazyGroup
from flashsale_local.command_line import run_command_line


class Commands(LazyGroup):
    """All commands. Each summary repeats the first line of the command's own help."""

    panels: ClassVar = {
        "The stack": {
            "up": Entry("stack:up", "Start the local stack and deploy the application to it."),
            "down": Entry("stack:down", "Stop the local stack. Its data stays until `make clean`."),
            "status": Entry(
                "status:status",
                "Show what runs: servers with addresses, processes and versions, the API, the "
                "queues.",
            ),
            "doctor": Entry(
                "doctor:doctor",
                "Check this machine and this checkout: what prevents or disturbs a local stack.",
            ),
            "env": Entry(
                "env:env",
                "Print the addresses of the running stack as variables of the shell: API, "
                "AWS_ENDPOINT_URL, …",
            ),
            "token": Entry(
                "token:token",
                "Print a token for the local stack. On AWS your identity provider issues tokens.",
            ),
        },
        "A sale": {
            "demo": Entry(
                "demo:demo",
                "Hold the same small sale through each generation, make trouble, print the books.",
            ),
            "shop": Entry(
                "shop:shop",
                "Walk through a sale as a buyer, in a browser, among 2,000 simulated people.",
            ),
            "seed": Entry(
                "sale:seed",
                "Insert users and products. Products that exist already keep their stock.",
            ),
            "open": Entry(
                "sale:open_", "Put products on sale. Their stock is loaded into Redis once."
            ),
        },
        "Control a sale": {
            "pause": Entry(
                "control:pause",
                "Stop sales now, for a while. Nothing is lost, and `flashsale resume` undoes it.",
            ),
            "resume": Entry("control:resume", "Resume paused sales with the units that are left."),
            "room": Entry(
                "room:room",
                "Show the waiting room of a product, stop its calls or go on, or set their highest "
                "rate.",
            ),
            "end": Entry(
                "control:end",
                "End sales for good. Purchases that were accepted become orders. It asks first.",
            ),
            "restock": Entry(
                "control:restock", "Add units to a product, and to its sale if there is one."
            ),
            "cancel": Entry(
                "control:cancel",
                "Cancel orders, even CONFIRMED ones, and put their units on sale again. It asks "
                "first.",
            ),
            "payments": Entry(
                "payments:payments", "Show payments and what becomes of them, newest first."
            ),
            "refunded": Entry(
                "control:refunded",
                "Record that payments were refunded at the provider. It moves no money itself.",
            ),
            "audit": Entry(
                "audit:audit", "Show who did what to which sale or order, newest first."
            ),
        },
        "Watch": {
            "verify": Entry("verify:verify", "Check the books: is every unit accounted for?"),
            "monitor": Entry(
                "monitor:monitor",
                "Show the sale live in a browser: stock, orders, queues, and the place of every "
                "unit.",
            ),
            "logs": Entry(
                "logs:logs",
                "Print the newest log lines of the functions, or with --order the life of one "
                "order.",
            ),
            "exporter": Entry(
                "exporter:exporter", "Serve the metrics of the sale to Prometheus until Ctrl+C."
            ),
        },
        "Repair": {
            "dlq": Entry(
                "dlq:app",
                "Show failed messages of orders and payments, redrive, cancel or discard them.",
            ),
            "rebuild": Entry(
                "sale:rebuild",
                "Rebuild sales after Redis lost data: pause, drain, set the stock from PostgreSQL, "
                "resume.",
            ),
        },
        "AWS": {
            "deploy": Entry(
                "deploy:deploy",
                "Build and check, show and make the changes, migrate the database, run a smoke "
                "test.",
            ),
            "model": Entry(
                "model:model",
                "Calculate rates, limits and USD per million purchases on AWS from measured costs.",
            ),
        },
    }


app = typer.Typer(
    name="flashsale",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        print(f"flashsale {version('flashsale')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _flashsale(
    _version: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Run, fill, inspect and deploy a flash sale."""


def main() -> None:
    """Run the command line."""
    run_command_line(app, _interrupted)


def _interrupted() -> None:
    from flashsale_local.stack.left_running import tell_what_runs  # noqa: PLC0415 - see LazyGroup

    tell_what_runs()
