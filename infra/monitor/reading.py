"""One look at a sale: its books, the queues, and who does not answer."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.model import ON_POSTGRES
from infra.failed import SOURCES, FailedMessage, look_at_all
from infra.queues import Depth, depths, total
from infra.target import Target

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Messages of one queue that are looked at.
MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one moment.

    Attributes:
        at: seconds since 1970.
        books: None where there is no product, or Valkey does not answer.
        down: what does not answer. Without PostgreSQL, its figures in `books` are the last known:
            a database that is down writes nothing.
        depths: messages by queue.
        failed: messages of `dlq` and `parking`, where looking changes nothing (not on AWS).
        latency_ms: median and 95th percentile of this page's buyers since the reading before.

    """

    at: float
    books: Books | None = None
    down: tuple[str, ...] = ()
    depths: Mapping[str, Depth] = field(default_factory=dict)
    failed: Sequence[FailedMessage] = ()
    latency_ms: tuple[float, float] | None = None

    def waiting(self, product_id: str) -> int:
        """Messages that may have units of this product: all but failed ones that do not name it."""
        strangers = sum(product_id not in message.body for message in self.failed)
        return max(0, total(self.depths) - strangers)


def accepted(books: Books) -> int:
    """Units that buyers took and that were not given back, confirmed or not yet."""
    if books.generations and ON_POSTGRES.issuperset(books.generations):
        return books.confirmed
    return books.initial - books.stock


async def read(
    target: Target,
    services: Services,
    sqs: "SQSClient",
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
    # The queues first: a message that is written in between is then counted twice, not lost.
    seen = await asyncio.to_thread(_look_at_queues, target, sqs)
    waiting = seen.waiting(product_id) if queued else 0
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


def _look_at_queues(target: Target, sqs: "SQSClient") -> Reading:
    seen = Reading(time.time(), depths=depths(target.queues, sqs))
    if not target.endpoint_url or not any(seen.depths[queue].total for queue in SOURCES):
        return seen
    # After the depths: a message that is gone by now then counts as one that waits, not as a loss.
    return replace(seen, failed=look_at_all(target, MESSAGES))


async def _without_postgres(services: Services, known: Books, waiting: int) -> Books | None:
    try:
        now = await services.ledger.snapshot(known.product_id)
    except StockUnavailable:
        return None
    if now is None or now.generation in ON_POSTGRES:
        return replace(known, waiting=waiting)
    ledger = now if known.ledger or now.accepted else None
    # Orders were confirmed after PostgreSQL was last read, if their claims are settled; a sale that
    # was opened again had others before its ledger.
    settled = known.initial - now.initial + now.settled
    confirmed = max(known.confirmed, settled) if ledger else known.confirmed
    return replace(
        known, redis_stock=now.stock, confirmed=confirmed, waiting=waiting, ledger=ledger
    )
