"""One reading of a sale: its books, the queues, and what does not answer."""

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

# The most messages of one queue that the page shows.
MAX_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at one moment.

    Attributes:
        at: seconds since 1970.
        books: None where there is no product, or Redis does not answer. While PostgreSQL is down,
            its figures are the last known: nothing can change them.
        down: names of the servers that do not answer.
        depths: numbers of messages by queue.
        failed: messages of `dlq` and `parking`. Empty on AWS, where peeking counts as a receive.
        latency_ms: median and 95th percentile of this page's buyers since the previous reading.
        at_rest: whether nothing has moved since the previous reading, and no buyer is active.

    """

    at: float
    books: Books | None = None
    down: tuple[str, ...] = ()
    depths: Mapping[str, Depth] = field(default_factory=dict)
    failed: Sequence[FailedMessage] = ()
    latency_ms: tuple[float, float] | None = None
    at_rest: bool = False

    @property
    def figures(self) -> Figures | None:
        """Where the units are, or None where the books are unknown."""
        return figures(self.books, at_rest=self.at_rest) if self.books else None


async def read(
    target: Target,
    services: Services,
    sqs: "SQSClient",
    product_id: str,
    last_known: Books | None,
    *,
    queued: bool = True,
    postgres_up: bool = True,
) -> Reading:
    """Read one product and the queues.

    Args:
        last_known: its books when PostgreSQL last answered.
        queued: whether the product's orders go through the queues.
        postgres_up: False saves the time that a connection attempt takes.

    """
    # The queues come first: `read_books` explains why.
    queues = await asyncio.to_thread(look_into_queues, target, sqs, most=MAX_MESSAGES)
    seen = Reading(time.time(), depths=queues.depths, failed=_failed(queues.read))
    waiting = queues.waiting if queued else NOTHING
    try:
        if postgres_up:
            rows = await read_books(services, [product_id], waiting)
            return replace(seen, books=rows[0] if rows else None)
    except StockUnavailable:
        return replace(seen, down=("Redis",))
    except DatabaseUnavailable:
        pass  # continue as if `postgres_up` had been False
    if last_known is None:
        return replace(seen, down=("PostgreSQL",))
    try:
        books = await _without_postgres(services, last_known, waiting)
    except StockUnavailable:
        return replace(seen, down=("Redis", "PostgreSQL"))
    return replace(seen, books=books, down=("PostgreSQL",))


def _failed(read: Sequence[FailedMessage]) -> list[FailedMessage]:
    """Return the messages that are in the dead-letter queue or the parking queue."""
    return [message for message in read if message.queue in SOURCES]


async def _without_postgres(services: Services, last_known: Books, waiting: Waiting) -> Books:
    now = await services.ledger.snapshot(last_known.product_id, count_claims=True)
    if now is None or now.generation in ON_POSTGRES:
        return last_known.expecting(waiting)
    ledger = now if last_known.ledger or now.accepted else None
    # A settled claim has a confirmed order, also if PostgreSQL was last read before. The difference
    # of the initial stocks is what a reopened sale had sold before this ledger began.
    settled = last_known.initial - now.initial + now.settled
    confirmed = max(last_known.confirmed, settled) if ledger else last_known.confirmed
    seen = replace(last_known, redis_stock=now.stock, confirmed=confirmed, ledger=ledger)
    return seen.expecting(waiting)
