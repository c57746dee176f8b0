"""The command `flashsale monitor`."""

import os
from typing import Annotated

import typer

from flashsale_local.console import console
from flashsale_local.paths import LOCAL
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.program import HOST


def monitor(
    host: Annotated[str, typer.Option(help="A loopback address.")] = HOST,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,  # noqa: FBT002
) -> None:
    """Show the sale live in a browser: stock, orders, queues, and whether every unit is there.

    On the local stack it has buttons: open a sale, buy, send a spike through a generation, stop
    PostgreSQL. FLASHSALE_MONITOR_PORT moves it from port 8080. It ends with Ctrl-C, and starts
    PostgreSQL again if it was stopped from the page.

    Example: [bold]flashsale monitor --no-open[/]
    """
    from flashsale_local.live_page.server import serve  # noqa: PLC0415 - NiceGUI takes a second to import

    serve(LOCAL, host, monitor_port(), show=show, report=console.print)


def monitor_port() -> int:
    """Where the page is served."""
    return port_of(os.environ, "FLASHSALE_MONITOR_PORT")
