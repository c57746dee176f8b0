"""One reading of a sale: its books, the queues, and what does not answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.domain.model import ON_POSTGRES
from flashsale.domain.room_figures import RoomFigures
from flashsale.domain.waiting import NOTHING, Waiting
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.live_page.figures import Figures, figures, on_postgres
from flashsale_local.live_page.queue_look import QueueLook
from flashsale_local.queues.failed import SOURCES
from flashsale_server.queues.depths import Depth
from flashsale_server.queues.messages import FailedMessage


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at one moment.

    Attributes:
        at: seconds since 1970 at which the reading was complete.
        looked_at: seconds since 1970 at which the look into the queues began.
        books: None where there is no product, or Redis does not answer. While PostgreSQL is down,
            its figures are the last known: nothing can change them.
        down: names of the servers that do not answer.
        depths: numbers of messages by queue.
        latency_ms: median and 95th percentile of this page's buyers in the last second.
        at_rest: whether no unit has moved since an earlier reading, and no buyer is active.
        queued: whether the product's orders go through the queues.
        room: the waiting room of the product; None without one, and without books.

    """

    at: float
    books: Books | None = None
    down: tuple[str, ...] = ()
    depths: Mapping[str, Depth] = field(default_factory=dict)
    latency_ms: tuple[float, float] | None = None
    at_rest: bool = False
    looked_at: float = 0.0
    queued: bool = True
    room: RoomFigures | None = None

    def resting(self, *, at_rest: bool) -> "Reading":
        """Return the same reading with whether the sale is at rest."""
        return replace(self, at_rest=at_rest)

    @property
    def postgres_down(self) -> bool:
        """Whether PostgreSQL does not answer. The books then have its last known figures."""
        return "PostgreSQL" in self.down

    @property
    def orders_unseen(self) -> bool:
        """Whether orders may be in PostgreSQL that nobody has read.

        V4's orders between the last reading and the outage have left the queues. V5's ledger
        counts its own.
        """
        books = self.books
        if not (self.postgres_down and self.queued and books) or books.ledger is not None:
            return False
        return books.lost > 0

    @property
    def figures(self) -> Figures | None:
        """Where the units are, or None where that is unknown."""
        books = self.books
        if books is None or (self.postgres_down and on_postgres(books)):
            return None
        return figures(books, at_rest=self.at_rest)

    @property
    def drawn(self) -> tuple[Any, ...]:
        """What the page shows of this reading."""
        depths = tuple((name, depth.total) for name, depth in self.depths.items())
        return self.books, self.figures, self.down, depths, self.latency_ms


async def read(
    services: Services,
    product_id: str,
    last_known: Books | None,
    look: QueueLook,
    *,
    queued: bool = True,
    postgres_up: bool = True,
) -> Reading:
    """Read one product.

    Args:
        last_known: its books when PostgreSQL last answered.
        look: into the queues, before: `read_books` explains why.
        queued: whether the product's orders go through the queues.
        postgres_up: False saves the time that a connection attempt takes.

    """
    waiting = look.queues.waiting if queued else NOTHING
    books, down = await _read(services, product_id, last_known, waiting, postgres_up=postgres_up)
    return Reading(
        time.time(),
        books,
        down,
        depths=look.queues.depths,
        looked_at=look.at,
        queued=queued,
        room=await _measure(services, product_id) if books else None,
    )


async def _measure(services: Services, product_id: str) -> RoomFigures | None:
    """Read the room without a look at it: the page must not call users."""
    try:
        return await services.rooms.measure(product_id)
    except StockUnavailable:
        return None


async def _read(
    services: Services,
    product_id: str,
    last_known: Books | None,
    waiting: Waiting,
    *,
    postgres_up: bool,
) -> tuple[Books | None, tuple[str, ...]]:
    """Return the books, and the names of the servers that do not answer."""
    try:
        if postgres_up:
            rows = await read_books(services, [product_id], waiting)
            return (rows[0] if rows else None), ()
    except StockUnavailable:
        return None, ("Redis",)
    except DatabaseUnavailable:
        pass  # continue as if `postgres_up` had been False
    if last_known is None:
        return None, ("PostgreSQL",)
    try:
        return await _without_postgres(services, last_known, waiting), ("PostgreSQL",)
    except StockUnavailable:
        return None, ("Redis", "PostgreSQL")


def failed_in(look: QueueLook) -> list[FailedMessage]:
    """Return the messages that were in the dead-letter queue or the parking queue.

    There are none on AWS, where peeking counts as a receive.
    """
    return [message for message in look.queues.read if message.queue in SOURCES]


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
    if ledger:  # each hold has a RESERVED order, also if PostgreSQL was last read before
        seen = replace(seen, reserved=ledger.held)
    return seen.expecting(waiting)
