"""The books of a sale: where every unit is. `flashsale verify` prints what is computed here.

The conservation law, per product, for a sale that is drained:

    initial = stock + confirmed

where the stock is the one that the generation sells from: PostgreSQL for V1 and V2, Redis for V3
to V5. Units that wait in a queue are neither; they are `unsettled`. V5 knows them exactly, and its
law holds at every instant, read in one atomic script:

    initial = stock + unsettled + settled

Two stores are never read at one instant, so whatever seems to break a law is looked at twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flashsale.bootstrap import Services
from flashsale.claims import Snapshot
from flashsale.model import ON_POSTGRES, V5

# Generations whose books must balance. V1 oversells and V3 loses units: that is their finding.
SOUND = frozenset({2, 4, 5})
# Seconds between two looks: longer than an admin's action takes from PostgreSQL to Redis.
SECOND_LOOK = 0.3


@dataclass(frozen=True, slots=True)
class Books:
    """Where the units of one product are. All figures are units.

    Attributes:
        generations: the generations that wrote orders of this product.
        redis_stock: units that can be claimed, or None where no sale was opened, or where one sells
            from PostgreSQL.
        waiting: most units that may still be in a queue, on their way to PostgreSQL.
        at_rest: nothing was unsettled and nothing moved in Redis while PostgreSQL was read.

    """

    product_id: str
    generations: tuple[int, ...]
    initial: int
    redis_stock: int | None
    postgres_stock: int
    confirmed: int
    cancelled: int
    waiting: int = 0
    ledger: Snapshot | None = None
    at_rest: bool = False

    @property
    def stock(self) -> int:
        """Units left to sell, in the store that sells them."""
        on_postgres = bool(self.generations) and ON_POSTGRES.issuperset(self.generations)
        if self.redis_stock is None or on_postgres:
            return self.postgres_stock
        return self.redis_stock

    @property
    def oversold(self) -> int:
        """Confirmed units beyond the initial stock."""
        return max(0, self.confirmed - self.initial)

    @property
    def unsettled(self) -> int:
        """Units that were claimed and wait for their order."""
        if self.ledger:
            return self.ledger.unsettled
        return min(max(0, self._beyond_stock), self.waiting)

    @property
    def imbalance(self) -> int:
        """Units that are nowhere (above 0), or in two places at once (below 0)."""
        if self.ledger is None:
            return self._beyond_stock - self.unsettled
        live = self.ledger.initial - self.ledger.stock - self.ledger.unsettled - self.ledger.settled
        # Below 0 are orders that are not settled yet, or were confirmed since Redis was read; only
        # at rest they are orders without a claim, whose units Redis sells once more.
        return live + (self._beyond_redis if self.at_rest else max(0, self._beyond_redis))

    @property
    def lost(self) -> int:
        """Units that are neither in stock, nor claimed, nor confirmed."""
        return max(0, self.imbalance)

    @property
    def balanced(self) -> bool:
        """Whether the conservation law holds."""
        return self.imbalance == 0 and not self.oversold

    def figures(self) -> dict[str, Any]:
        """All of them by name, also those that are computed, for machines."""
        computed = ("unsettled", "oversold", "lost", "imbalance", "balanced", "broken")
        stored = asdict(self)
        del stored["at_rest"]  # how they were read, and no figure
        return {**stored, **{name: getattr(self, name) for name in computed}}

    @property
    def suspect(self) -> bool:
        """Whether it takes a second look to say what is true."""
        settled = self.ledger is not None and not self.ledger.unsettled
        return self.broken or (settled and self._beyond_redis < 0)

    @property
    def _beyond_stock(self) -> int:
        return self.initial - self.stock - self.confirmed

    @property
    def _beyond_redis(self) -> int:
        """What PostgreSQL has and Redis does not: by a restock or a cancel that died in between."""
        assert self.ledger
        never_on_sale = self.initial - self.ledger.initial
        return never_on_sale + self.ledger.settled - self.confirmed

    @property
    def broken(self) -> bool:
        """Whether it is violated by a generation that promises to keep it, or by nobody knows whom.

        A product without orders has no generation: if its units are gone, somebody must look.
        """
        return not self.balanced and SOUND.issuperset(self.generations)


async def read_books(
    services: Services, product_ids: Sequence[str] | None = None, waiting: int = 0
) -> list[Books]:
    """The books of these products, or of all.

    Args:
        waiting: messages in all queues; while there are any, units may be on their way.

    """
    rows = await _look(services, product_ids, waiting)
    if suspects := [row.product_id for row in rows if row.suspect]:
        await asyncio.sleep(SECOND_LOOK)
        again = {row.product_id: row for row in await _look(services, suspects, waiting)}
        rows = [_agreed(row, again.get(row.product_id)) for row in rows]
    return rows


def _agreed(first: Books, second: Books | None) -> Books:
    """The second look; or the first, where it saw PostgreSQL between two equal looks at Redis."""
    if second is None:
        return first
    ledger = first.ledger
    at_rest = ledger is not None and not ledger.unsettled and ledger == second.ledger
    return replace(first, at_rest=True) if at_rest else second


async def _look(services: Services, product_ids: Sequence[str] | None, waiting: int) -> list[Books]:
    ids = None if product_ids is None else list(product_ids)
    # Redis first: see `Books.imbalance`.
    snapshots = {
        product_id: await services.ledger.snapshot(product_id)
        for product_id in await services.stock.sales()
        if ids is None or product_id in ids
    }
    rows = await services.database.fetch_all("select_books", ids=ids)
    return [_books(row, snapshots.get(row["id"]), waiting) for row in rows]


def _books(row: Mapping[str, Any], snapshot: Snapshot | None, waiting: int) -> Books:
    if snapshot and snapshot.generation in ON_POSTGRES:
        snapshot = None  # nothing is taken from the stock in Redis
    on_ledger = snapshot is not None and (snapshot.accepted > 0 or V5 in row["generations"])
    return Books(
        product_id=row["id"],
        generations=tuple(sorted(row["generations"])),
        initial=row["initial_stock"],
        redis_stock=snapshot.stock if snapshot else None,
        postgres_stock=row["stock"],
        confirmed=row["confirmed"],
        cancelled=row["cancelled"],
        waiting=waiting,
        ledger=snapshot if on_ledger else None,
    )
