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
    """Show the sale live in a browser: stock, orders, queues, and the place of every unit.

    On the local stack the page has buttons that open a sale, buy, send a spike through a
    generation, or stop PostgreSQL. The port is 8080; FLASHSALE_MONITOR_PORT changes it. Ctrl+C ends
    the command. If the page stopped PostgreSQL, the command starts it again at its end.

    Example: [bold]flashsale monitor --no-open[/]
    """
    from flashsale_local.live_page.server import serve  # noqa: PLC0415 - NiceGUI takes a second to import

    serve(LOCAL, host, monitor_port(), show=show, report=console.print)
    raise KeyboardInterrupt  # the page's server has handled it


def monitor_port() -> int:
    """Return the port of the page."""
    return port_of(os.environ, "FLASHSALE_MONITOR_PORT")
