"""The books of a sale: where every unit is. `flashsale verify` prints them.

The conservation law, per product, for a drained sale:

    initial = stock + confirmed + reserved

The stock is the one that the generation sells from: PostgreSQL for V1 and V2, Redis for V3 to V5.
Units in a queue are neither. They are `unsettled` while a function will process them, and `parked`
while they wait for the operator. V5 knows its unsettled units exactly, parked or not. Its law holds
at every instant, and one atomic script reads it:

    initial = stock + unsettled + held + settled

Two stores cannot be read at the same instant, so a law that seems broken is checked twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from flashsale.domain.claims import Snapshot
from flashsale.domain.model import ON_POSTGRES, V5
from flashsale.domain.waiting import NOTHING, Waiting
from flashsale.services import Services

# Generations whose books must balance. V1 oversells and V3 loses units, by design.
SOUND = frozenset({2, 4, 5})
# Generations that send their orders through a queue.
QUEUED = frozenset({4, 5})
# Seconds between two readings. An admin's action gets from PostgreSQL to Redis in less.
SECOND_READING = 0.3
# Figures of `Books` that are computed from others.
COMPUTED = ("unsettled", "exact", "parked", "oversold", "lost", "imbalance", "balanced", "broken")


@dataclass(frozen=True, slots=True)
class Books:
    """Where the units of one product are. All figures are units.

    Attributes:
        generations: the generations that wrote orders of this product.
        redis_stock: units that can be claimed; None if no sale was opened, or if the sale sells
            from PostgreSQL.
        waiting: the most units that may still be in a queue, on their way to PostgreSQL.
        named: the part of `waiting` that is in messages that were read.
        in_parking: units in parked messages that were read.
        at_rest: nothing was unsettled, and Redis did not change while PostgreSQL was read.

    """

    product_id: str
    generations: tuple[int, ...]
    initial: int
    redis_stock: int | None
    postgres_stock: int
    confirmed: int
    cancelled: int
    reserved: int = 0
    expired: int = 0
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
    def written(self) -> int:
        """Units in orders of any status."""
        return self.confirmed + self.reserved + self.expired + self.cancelled

    @property
    def oversold(self) -> int:
        """Confirmed units beyond the initial stock."""
        return max(0, self.confirmed - self.initial)

    @property
    def parked(self) -> int:
        """Units whose order waits for the operator in the parking queue.

        Those of V5 are unsettled instead, because the sweep resends their claims.
        """
        return min(self._in_a_queue, self.in_parking)

    @property
    def unsettled(self) -> int:
        """Claimed units whose order is on its way; an upper bound, unless `exact`."""
        if self.ledger:
            return self.ledger.unsettled
        return min(self._in_a_queue - self.parked, self.waiting)

    @property
    def exact(self) -> bool:
        """Whether `unsettled` is known. Unread messages make it an upper bound."""
        return self.ledger is not None or self.unsettled <= self.named

    @property
    def imbalance(self) -> int:
        """Units that are nowhere (above 0), or in two places at once (below 0)."""
        if self.ledger is None:
            return self._beyond_stock - self.unsettled - self.parked
        ledger = self.ledger
        found = ledger.stock + ledger.unsettled + ledger.held + ledger.settled
        live = ledger.initial - found
        # Below 0 are orders that are not settled yet, or were confirmed after Redis was read. Only
        # at rest they are orders without a claim, whose units Redis sells again.
        return live + (self._beyond_redis if self.at_rest else max(0, self._beyond_redis))

    @property
    def lost(self) -> int:
        """Units that are neither in stock, nor claimed, nor parked, nor in an order."""
        return max(0, self.imbalance)

    @property
    def balanced(self) -> bool:
        """Whether the conservation law holds."""
        return self.imbalance == 0 and not self.oversold

    def figures(self) -> dict[str, Any]:
        """Return all figures by name, including the computed ones, for JSON."""
        stored = asdict(self)
        for detail in ("at_rest", "named", "in_parking"):
            del stored[detail]
        if self.ledger:
            del stored["ledger"]["starts_at"]  # no figure
        return {**stored, **{name: getattr(self, name) for name in COMPUTED}}

    def expecting(self, waiting: Waiting) -> "Books":
        """Return the same books with the units that wait in the queues."""
        named = waiting.coming.get(self.product_id, 0)
        parked = waiting.parked.get(self.product_id, 0)
        return replace(self, waiting=waiting.unread + named, named=named, in_parking=parked)

    @property
    def suspect(self) -> bool:
        """Whether a second reading is needed."""
        settled = self.ledger is not None and not self.ledger.unsettled
        return self.broken or (settled and self._beyond_redis < 0)

    @property
    def _in_a_queue(self) -> int:
        """The most units that can be in messages; 0 for generations without a queue."""
        queued = not self.generations or not QUEUED.isdisjoint(self.generations)
        return max(0, self._beyond_stock) if queued and self.ledger is None else 0

    @property
    def _beyond_stock(self) -> int:
        return self.initial - self.stock - self.confirmed - self.reserved

    @property
    def _beyond_redis(self) -> int:
        """Units of PostgreSQL that Redis lacks, after an interrupted restock or cancellation."""
        assert self.ledger
        never_on_sale = self.initial - self.ledger.initial
        closed = self.ledger.settled + self.ledger.held
        return never_on_sale + closed - self.confirmed - self.reserved

    @property
    def broken(self) -> bool:
        """Whether the law is violated, and the generation promises to keep it, or is unknown.

        A product without orders has no generation. If its units are gone, the operator must look.
        """
        return not self.balanced and SOUND.issuperset(self.generations)


async def read_books(
    services: Services, product_ids: Sequence[str] | None = None, waiting: Waiting = NOTHING
) -> list[Books]:
    """Read the books of these products, or of all. Leave out products that do not exist.

    Args:
        waiting: the units in the queues. Read them before: a message that is written in between
            then counts twice, and not as lost.

    """
    rows = await _read(services, product_ids, waiting)
    if suspects := [row.product_id for row in rows if row.suspect]:
        await asyncio.sleep(SECOND_READING)
        again = {row.product_id: row for row in await _read(services, suspects, waiting)}
        rows = [_agreed(row, again.get(row.product_id)) for row in rows]
    return rows


def _agreed(first: Books, second: Books | None) -> Books:
    """Choose a reading: the first if Redis was at rest and equal in both, otherwise the second."""
    if second is None:
        return first
    ledger = first.ledger
    at_rest = ledger is not None and not ledger.unsettled and ledger == second.ledger
    return replace(first, at_rest=True) if at_rest else second


async def _read(
    services: Services, product_ids: Sequence[str] | None, waiting: Waiting
) -> list[Books]:
    ids = None if product_ids is None else list(product_ids)
    # Redis comes first, see `Books.imbalance`.
    snapshots = {
        product_id: await services.ledger.snapshot(product_id, count_claims=True)
        for product_id in await services.stock.list_sales()
        if ids is None or product_id in ids
    }
    rows = await services.database.fetch_all("select_books", ids=ids)
    return [_books(row, snapshots.get(row["id"])).expecting(waiting) for row in rows]


def _books(row: Mapping[str, Any], snapshot: Snapshot | None) -> Books:
    if snapshot and snapshot.generation in ON_POSTGRES:
        snapshot = None  # no units are taken from the stock in Redis
    on_ledger = snapshot is not None and (snapshot.accepted > 0 or V5 in row["generations"])
    return Books(
        product_id=row["id"],
        generations=tuple(sorted(row["generations"])),
        initial=row["initial_stock"],
        redis_stock=snapshot.stock if snapshot else None,
        postgres_stock=row["stock"],
        confirmed=row["confirmed"],
        reserved=row["reserved"],
        expired=row["expired"],
        cancelled=row["cancelled"],
        ledger=snapshot if on_ledger else None,
    )
