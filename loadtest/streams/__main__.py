"""`make bench-streams`: what live streams cost, against the goals of their design.

Streams are on the ASGI edge beside the running stack, which is started if it is down. The clients,
the edge and all stores share one machine. All figures are measured during the run.
"""

import os
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import typer

from flashsale_local.command_line import run_command_line
from flashsale_local.console import step
from loadtest.bench_server import Bench, bench_server
from loadtest.finding import Finding, load_at_the_end, report
from loadtest.streams.claims import claim_in_turn
from loadtest.streams.costs import cost_of_listeners
from loadtest.streams.delays import delay_of_orders
from loadtest.streams.files import allow_files

MEASUREMENTS: dict[str, Callable[[Bench, int], list[Finding]]] = {
    "an idle stream": cost_of_listeners,
    "from the commit of an order to its buyer": delay_of_orders,
    "claims, in turn with and without listeners": claim_in_turn,
}


def bench(
    as_json: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", envvar="JSON", help="Print JSON, for scripts.")
    ] = False,
) -> None:
    """Measure everything and print the table. A goal that is missed is no error."""
    allow_files()
    # Clients say which address they have, because an address may have few streams.
    os.environ["TRUSTED_PROXIES"] = "127.0.0.1"
    found: list[Finding] = []
    with bench_server() as server:
        port = urlsplit(server.url).port or 0
        for name, measure in MEASUREMENTS.items():
            with step(name):
                found += measure(server, port)
    report("Live streams", found, as_json=as_json, load=load_at_the_end())


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    run_command_line(app)
