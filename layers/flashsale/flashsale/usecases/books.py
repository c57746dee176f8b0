"""The books of a sale: where every unit is. `flashsale verify` prints what is computed here.

The conservation law, per product, for a sale that is drained:

    initial = stock + confirmed

where the stock is the one that the generation sells from: PostgreSQL for V1 and V2, Redis for V3
to V5. Units that wait in a queue are neither. They are `unsettled` while a function works on them,
and `parked` where they wait for a person. V5 knows what is unsettled exactly, parked or not, and
its law holds at every instant, read in one atomic script:

    initial = stock + unsettled + settled

Two stores are never read at one instant, so whatever seems to break a law is looked at twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flashsale.domain.claims import Snapshot
from flashsale.domain.model import ON_POSTGRES, V5
from flashsale.domain.waiting import NOTHING, Waiting
from flashsale.services import Services

# Generations whose books must balance. V1 oversells and V3 loses units: that is their finding.
SOUND = frozenset({2, 4, 5})
# Generations that put their orders into a queue.
QUEUED = frozenset({4, 5})
# Seconds between two looks: longer than an admin's action takes from PostgreSQL to Redis.
SECOND_LOOK = 0.3
# Figures of `Books` that follow from others.
COMPUTED = ("unsettled", "exact", "parked", "oversold", "lost", "imbalance", "balanced", "broken")


@dataclass(frozen=True, slots=True)
class Books:
    """Where the units of one product are. All figures are units.

    Attributes:
        generations: the generations that wrote orders of this product.
        redis_stock: units that can be claimed, or None where no sale was opened, or where one sells
            from PostgreSQL.
        waiting: most units that may still be in a queue, on their way to PostgreSQL.
        named: those of them that messages were seen to name.
        in_parking: units that parked messages were seen to name.
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
    named: int = 0
    in_parking: int = 0
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
    def parked(self) -> int:
        """Units whose order waits for a person, in the parking queue.

        V5's are unsettled instead: the sweep sends their claims again, whatever is parked.
        """
        return min(self._in_a_queue, self.in_parking)

    @property
    def unsettled(self) -> int:
        """Units that were claimed and whose order is on its way; at most, unless `exact`."""
        if self.ledger:
            return self.ledger.unsettled
        return min(self._in_a_queue - self.parked, self.waiting)

    @property
    def exact(self) -> bool:
        """Whether `unsettled` is known, and no upper bound because of messages that nobody read."""
        return self.ledger is not None or self.unsettled <= self.named

    @property
    def imbalance(self) -> int:
        """Units that are nowhere (above 0), or in two places at once (below 0)."""
        if self.ledger is None:
            return self._beyond_stock - self.unsettled - self.parked
        live = self.ledger.initial - self.ledger.stock - self.ledger.unsettled - self.ledger.settled
        # Below 0 are orders that are not settled yet, or were confirmed since Redis was read; only
        # at rest they are orders without a claim, whose units Redis sells once more.
        return live + (self._beyond_redis if self.at_rest else max(0, self._beyond_redis))

    @property
    def lost(self) -> int:
        """Units that are neither in stock, nor claimed, nor parked, nor confirmed."""
        return max(0, self.imbalance)

    @property
    def balanced(self) -> bool:
        """Whether the conservation law holds."""
        return self.imbalance == 0 and not self.oversold

    def figures(self) -> dict[str, Any]:
        """All of them by name, also those that are computed, for machines."""
        stored = asdict(self)
        for how_it_was_read in ("at_rest", "named", "in_parking"):
            del stored[how_it_was_read]
        return {**stored, **{name: getattr(self, name) for name in COMPUTED}}

    def expecting(self, waiting: Waiting) -> "Books":
        """The same books with what waits in the queues."""
        named = waiting.coming.get(self.product_id, 0)
        parked = waiting.parked.get(self.product_id, 0)
        return replace(self, waiting=waiting.unread + named, named=named, in_parking=parked)

    @property
    def suspect(self) -> bool:
        """Whether it takes a second look to say what is true."""
        settled = self.ledger is not None and not self.ledger.unsettled
        return self.broken or (settled and self._beyond_redis < 0)

    @property
    def _in_a_queue(self) -> int:
        """Most units that can be in messages: none of those who write their orders at once."""
        queued = not self.generations or not QUEUED.isdisjoint(self.generations)
        return max(0, self._beyond_stock) if queued and self.ledger is None else 0

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
    services: Services, product_ids: Sequence[str] | None = None, waiting: Waiting = NOTHING
) -> list[Books]:
    """The books of these products, or of all; of a product that PostgreSQL does not know none.

    Args:
        waiting: what waits in the queues, read before this is called: a message that is written in
            between is then counted twice, and not as lost.

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


async def _look(
    services: Services, product_ids: Sequence[str] | None, waiting: Waiting
) -> list[Books]:
    ids = None if product_ids is None else list(product_ids)
    # Redis first: see `Books.imbalance`.
    snapshots = {
        product_id: await services.ledger.snapshot(product_id, count_claims=True)
        for product_id in await services.stock.list_sales()
        if ids is None or product_id in ids
    }
    rows = await services.database.fetch_all("select_books", ids=ids)
    return [_books(row, snapshots.get(row["id"])).expecting(waiting) for row in rows]


def _books(row: Mapping[str, Any], snapshot: Snapshot | None) -> Books:
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
        ledger=snapshot if on_ledger else None,
    )
