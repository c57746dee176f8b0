"""What a person on call must know of a running sale: the stores, the relay, the books."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.waiting import ANYTHING, Waiting
from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books

# Seconds within which a store that is well answers; a health check is not kept longer.
CHECK_TIME = 1.2
# Seconds for counting messages: who asks for the books has as much to read from the stores.
COUNT_TIME = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthReport:
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


async def read_health(services: Services, deadline: Deadline = NEVER) -> HealthReport:
    """Look at the stores and at all products on sale. A store that is down is no error here."""
    up = await ask_stores(services)
    oldest = dead_letters = books = None

    async def look() -> None:
        nonlocal oldest, dead_letters, books
        products = await services.stock.list_sales()
        oldest = max([await services.ledger.oldest_age(id_) for id_ in products], default=0.0)
        dead_letters = await services.order_queue.waiting(services.settings.dead_letter_queue_url)
        waiting = await _messages(services)
        books = await read_books(services, products, waiting)

    with suppress(ServiceUnavailable):  # what was read until then is told
        await deadline.bound(look())
    return HealthReport(up["redis"], up["postgresql"], up["sqs"], oldest, dead_letters, books)


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


async def messages_waiting(services: Services) -> Waiting:
    """Messages in all queues whose address this process knows; ANYTHING while SQS does not say.

    A function may not receive messages to read them, so all of them are unread.
    """
    try:
        async with asyncio.timeout(COUNT_TIME):
            return await _messages(services)
    except (ServiceUnavailable, TimeoutError):
        return ANYTHING


async def _messages(services: Services) -> Waiting:
    settings = services.settings
    urls = settings.orders_queue_url, settings.dead_letter_queue_url, settings.parking_queue_url
    return Waiting(unread=sum([await services.order_queue.waiting(url) for url in urls if url]))
