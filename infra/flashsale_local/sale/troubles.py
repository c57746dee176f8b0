"""The demo's troubles: a kill between the steps of a purchase, and an outage of PostgreSQL."""

from dataclasses import dataclass

from flashsale.services import Services
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.sale import kill, outage
from flashsale_local.sale.trouble import (
    BEFORE,
    Outcome,
    buy_one_each,
    differences,
    open_sales,
)
from flashsale_local.stack.stack import Stack


@dataclass(frozen=True)
class Troubles:
    """What became of each generation's purchases in both troubles.

    Attributes:
        outage_seconds: for which PostgreSQL was away.

    """

    killed: list[Outcome]
    outage: list[Outcome]
    outage_seconds: float

    @property
    def findings(self) -> list[str]:
        """What is not as the designs lead to expect."""
        return [
            *differences("killed between its steps", self.killed, kill.EXPECTED),
            *differences("without PostgreSQL", self.outage, outage.EXPECTED),
        ]

    @property
    def gaps(self) -> list[str]:
        """Products of V4 that lost a unit. `verify` fails until they are rebuilt."""
        return [o.books.product_id for o in self.killed if o.generation == 4 and o.lost]


def can_be_made(stack: Stack) -> bool:
    """Return whether the servers belong to this stack, and so may be stopped."""
    return {"valkey", "postgres"} <= stack.supervisor.info().keys()


def make_troubles(stack: Stack, target: Target, run: str) -> Troubles:
    """Make both troubles, and return what became of the purchases in them.

    The stack is whole afterwards, also after an error or Ctrl-C.
    """
    to_kill, to_wait = with_services(target, lambda services: _open(target, services, run))
    kill.kill_a_worker(stack, target, to_kill)
    waited, seconds = outage.stop_postgres_meanwhile(stack, target, to_wait)
    # Only now: the lease of the killed process has expired meanwhile.
    killed = with_services(target, lambda services: kill.take_stock(target, services, to_kill))
    return Troubles(killed, waited, seconds)


async def _open(
    target: Target, services: Services, run: str
) -> tuple[dict[int, str], dict[int, str]]:
    to_kill = await open_sales(services, run, "kill")
    to_wait = await open_sales(services, run, "outage")
    await buy_one_each(target.edges["asgi"], to_wait, BEFORE)
    return to_kill, to_wait
