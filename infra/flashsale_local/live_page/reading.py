"""One look at a sale: its books, the queues, and who does not answer."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flashsale.domain.model import ON_POSTGRES
from flashsale.domain.waiting import NOTHING, Waiting
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.deployment.target import Target
from flashsale_local.live_page.figures import Figures, figures
from flashsale_local.queues.contents import look_into_queues
from flashsale_local.queues.failed import SOURCES
from flashsale_server.queues.depths import Depth
from flashsale_server.queues.messages import FailedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Messages of one queue that are shown.
MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one moment.

    Attributes:
        at: seconds since 1970.
        books: None where there is no product, or Redis does not answer.
        down: what does not answer. Without PostgreSQL, its figures in `books` are the last known:
            a database that is down writes nothing.
        depths: messages by queue.
        failed: messages of `dlq` and `parking`, where looking changes nothing (not on AWS).
        latency_ms: median and 95th percentile of this page's buyers since the reading before.
        rests: whether nothing has moved since the reading before, and no buyer is on the way.

    """

    at: float
    books: Books | None = None
    down: tuple[str, ...] = ()
    depths: Mapping[str, Depth] = field(default_factory=dict)
    failed: Sequence[FailedMessage] = ()
    latency_ms: tuple[float, float] | None = None
    rests: bool = False

    @property
    def figures(self) -> Figures | None:
        """Where the units are; None where the books are not known."""
        return figures(self.books, rests=self.rests) if self.books else None


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
        queued: whether the product's orders go through the queues at all.
        postgres_up: False saves the time of finding out.

    """
    # The queues first, see `read_books`.
    queues = await asyncio.to_thread(look_into_queues, target, sqs, most=MESSAGES)
    seen = Reading(time.time(), depths=queues.depths, failed=_failed(queues.read))
    waiting = queues.waiting if queued else NOTHING
    try:
        if postgres_up:
            rows = await read_books(services, [product_id], waiting)
            return replace(seen, books=rows[0] if rows else None)
    except StockUnavailable:
        return replace(seen, down=("Redis",))
    except DatabaseUnavailable:
        pass  # the same as when we knew it before
    if known is None:
        return replace(seen, down=("PostgreSQL",))
    try:
        books = await _without_postgres(services, known, waiting)
    except StockUnavailable:
        return replace(seen, down=("Redis", "PostgreSQL"))
    return replace(seen, books=books, down=("PostgreSQL",))


def _failed(read: Sequence[FailedMessage]) -> list[FailedMessage]:
    """Those of the queues of failed ones."""
    return [message for message in read if message.queue in SOURCES]


async def _without_postgres(services: Services, known: Books, waiting: Waiting) -> Books:
    now = await services.ledger.snapshot(known.product_id, count_claims=True)
    if now is None or now.generation in ON_POSTGRES:
        return known.expecting(waiting)
    ledger = now if known.ledger or now.accepted else None
    # Orders were confirmed after PostgreSQL was last read, if their claims are settled; a sale that
    # was opened again had others before its ledger.
    settled = known.initial - now.initial + now.settled
    confirmed = max(known.confirmed, settled) if ledger else known.confirmed
    seen = replace(known, redis_stock=now.stock, confirmed=confirmed, ledger=ledger)
    return seen.expecting(waiting)
