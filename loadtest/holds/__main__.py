"""`make bench-holds`: what payment holds cost, against the goals of their design.

The command starts a Valkey and a PostgreSQL of its own, and runs the use cases of the functions on
them. All figures are measured during the run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

import typer
import uvloop

from flashsale.config import Settings
from flashsale.postgres_store.migrations import migrate
from flashsale.services import Services
from flashsale_local.command_line import run_command_line
from flashsale_local.console import step
from flashsale_local.paths import MIGRATIONS
from loadtest.finding import Finding, report
from loadtest.holds.expiring import expire_at_once
from loadtest.holds.paying import pay_in_batches
from loadtest.holds.shop import Shop
from loadtest.holds.writing import write_in_turn
from loadtest.own_stores import own_stores

MEASUREMENTS: dict[str, Callable[[Shop], Awaitable[list[Finding]]]] = {
    "orders written with and without a hold": write_in_turn,
    "holds that end together": expire_at_once,
    "payments applied": pay_in_batches,
}
# One connection, as a function has.
POOL_SIZE = 1


def bench(
    as_json: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", envvar="JSON", help="Print JSON, for scripts.")
    ] = False,
) -> None:
    """Measure everything and print the table. A goal that is missed is no error."""
    with own_stores() as settings:
        found = uvloop.run(_measure(replace(settings, database_pool_size=POOL_SIZE)))
    report("Payment holds", found, as_json=as_json)


async def _measure(settings: Settings) -> list[Finding]:
    services, found = Services(settings), []
    await migrate(services.database, MIGRATIONS)
    for name, measure in MEASUREMENTS.items():
        with step(name):
            found += await measure(Shop(services))
    await services.close()
    return found


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(bench)
    run_command_line(app)
