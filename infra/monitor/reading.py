"""One look at a sale: its books, the queues, and who does not answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flashsale.books import ON_POSTGRES, Books, read_books
from flashsale.bootstrap import Services
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from infra.queues import Depth, depths
from infra.target import Target


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one moment.

    Attributes:
        at: seconds since 1970.
        books: None where there is no product, or Valkey does not answer.
        down: what does not answer. Without PostgreSQL, its figures in `books` are the last known:
            a database that is down writes nothing.
        depths: messages by queue.
        latency_ms: median and 95th percentile of this page's buyers since the reading before.

    """

    at: float
    books: Books | None = None
    down: tuple[str, ...] = ()
    depths: Mapping[str, Depth] = field(default_factory=dict)
    latency_ms: tuple[float, float] | None = None

    @property
    def waiting(self) -> int:
        """Messages in all queues."""
        return sum(depth.total for depth in self.depths.values())


def accepted(books: Books) -> int:
    """Units that buyers took and that were not given back, confirmed or not yet."""
    if books.generations and ON_POSTGRES.issuperset(books.generations):
        return books.confirmed
    return books.initial - books.stock


async def read(
    target: Target,
    services: Services,
    product_id: str,
    known: Books | None,
    *,
    queued: bool = True,
    postgres_up: bool = True,
) -> Reading:
    """Look at one product, and at the queues.

    Args:
        known: its books when PostgreSQL last answered.
        queued: whether messages in the queues may be this product's.
        postgres_up: False saves the time of finding out.

    """
    seen = Reading(at=time.time())
    # The queues first: a message that is written in between is then counted twice, not lost.
    seen = replace(seen, depths=await asyncio.to_thread(depths, target.queues))
    waiting = seen.waiting if queued else 0
    try:
        if postgres_up:
            rows = await read_books(services, [product_id], waiting)
            return replace(seen, books=rows[0] if rows else None)
    except StockUnavailable:
        return replace(seen, down=("Valkey",))
    except DatabaseUnavailable:
        pass  # the same as when we knew it before
    books = await _without_postgres(services, known, waiting) if known else None
    return replace(seen, books=books, down=("PostgreSQL",))


async def _without_postgres(services: Services, known: Books, waiting: int) -> Books | None:
    try:
        now = await services.ledger.snapshot(known.product_id)
    except StockUnavailable:
        return None
    if now is None:
        return replace(known, waiting=waiting)
    ledger = now if known.ledger or now.accepted else None
    # Orders were confirmed after PostgreSQL was last read, if their claims are settled.
    confirmed = max(known.confirmed, now.settled) if ledger else known.confirmed
    return replace(
        known, redis_stock=now.stock, confirmed=confirmed, waiting=waiting, ledger=ledger
    )
