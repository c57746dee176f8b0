"""`make bench-rooms`: what waiting rooms cost, against the goals of their design.

Scripts and checks run on a Valkey of their own. Polls go to the ASGI edge of the running stack,
which is started if it is down. All figures are measured during the run.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
import uvloop

from flashsale.config import Settings
from flashsale.services import Services
from flashsale_local.command_line import run_command_line
from flashsale_local.console import step
from loadtest.bench_server import bench_server
from loadtest.finding import Finding, load_at_the_end, report
from loadtest.own_stores import own_stores
from loadtest.rooms.checks import check_admissions
from loadtest.rooms.claims import claim_in_turn
from loadtest.rooms.joins import join_in_turn
from loadtest.rooms.polls import poll_in_turn
from loadtest.rooms.shop import Shop

MEASUREMENTS: dict[str, Callable[[Shop], Awaitable[list[Finding]]]] = {
    "admissions checked": check_admissions,
    "a million joins, in turn with claims": join_in_turn,
    "claims with and without a room": claim_in_turn,
}


def bench(
    as_json: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", envvar="JSON", help="Print JSON, for scripts.")
    ] = False,
) -> None:
    """Measure everything and print the table. A goal that is missed is no error."""
    with own_stores() as settings:
        found = uvloop.run(_measure(settings))
    with bench_server() as server, step("polls of a room, in turn with the echo route"):
        found += poll_in_turn(server)
    report("Waiting rooms", found, as_json=as_json, load=load_at_the_end())


async def _measure(settings: Settings) -> list[Finding]:
    services, found = Services(settings), []
    for name, measure in MEASUREMENTS.items():
        with step(name):
            found += await measure(Shop(services))
    await services.close()
    return found


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    run_command_line(app)
