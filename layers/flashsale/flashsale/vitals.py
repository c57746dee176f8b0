"""What a person on call must know of a running sale: the stores, the relay, the books."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.errors import ServiceUnavailable

# Seconds within which a store that is well answers; a health check is not kept longer.
CHECK_TIME = 1.2
# Seconds for counting messages: who asks for the books has as much to read from the stores.
COUNT_TIME = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at everything; what could not be seen is None.

    Attributes:
        redis_up, postgresql_up, sqs_up: whether it answers and takes writes.
        oldest_claim: age in seconds of the oldest claim of V5 that waits for its order.
        dead_letters: messages in the DLQ, also those that a function has right now.
        books: of the products on sale.

    """

    redis_up: bool
    postgresql_up: bool
    sqs_up: bool
    oldest_claim: float | None
    dead_letters: int | None
    books: Sequence[Books] | None


async def read_vitals(services: Services) -> Vitals:
    """Look at the stores and at all products on sale. A store that is down is no error here."""
    up = await ask_stores(services)
    oldest = dead_letters = books = None
    try:
        products = await services.stock.sales()
        oldest = max([await services.ledger.oldest_age(id_) for id_ in products], default=0.0)
        # The queues first: a message that is written in between is then counted twice, not lost.
        dead_letters = await services.order_queue.waiting(services.settings.dead_letter_queue_url)
        parked = await services.order_queue.waiting(services.settings.parking_queue_url)
        waiting = await services.order_queue.waiting() + dead_letters + parked
        books = await read_books(services, products, waiting)
    except ServiceUnavailable:
        pass  # what was read until then is told
    return Vitals(up["redis"], up["postgresql"], up["sqs"], oldest, dead_letters, books)


async def _check_redis(services: Services) -> None:
    await services.stock.ping()


async def _check_postgresql(services: Services) -> None:
    await services.database.ping()


async def _check_sqs(services: Services) -> None:
    await services.order_queue.ping()


CHECKS = {"redis": _check_redis, "postgresql": _check_postgresql, "sqs": _check_sqs}
"""What raises unless a store answers and takes writes, by the store's name."""


async def ask_stores(services: Services, names: Collection[str] = tuple(CHECKS)) -> dict[str, bool]:
    """Whether each of these stores answers and takes writes, by its name; all within `CHECK_TIME`.

    Only an answer counts as one: whatever goes wrong, the store is down.
    """
    asked = {name: asyncio.create_task(CHECKS[name](services)) for name in names}
    await asyncio.wait(asked.values(), timeout=CHECK_TIME)
    for name, task in asked.items():
        if task.cancel():
            logger.warning("%s is down: no answer within %g s", name, CHECK_TIME)
        elif error := task.exception():
            logger.warning("%s is down: %s: %s", name, type(error).__name__, error)
    return {name: _is_up(task) for name, task in asked.items()}


def _is_up(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def messages_waiting(services: Services) -> int | None:
    """Messages in all queues whose address this process knows; None while SQS does not say."""
    settings = services.settings
    urls = settings.orders_queue_url, settings.dead_letter_queue_url, settings.parking_queue_url
    try:
        async with asyncio.timeout(COUNT_TIME):
            return sum([await services.order_queue.waiting(url) for url in urls if url])
    except (ServiceUnavailable, TimeoutError):
        return None
