"""The health of a running sale: the stores, the relay and the books."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.hold_figures import HoldFigures
from flashsale.domain.room_figures import RoomFigures
from flashsale.domain.waiting import ANYTHING, Waiting
from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale.usecases.hold_figures import read_hold_figures
from flashsale.usecases.rooms import measure_rooms

# Seconds within which a healthy store responds. A health check takes no longer.
CHECK_TIME = 1.2
# Seconds for counting messages. A request for the books also reads the other stores.
COUNT_TIME = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthReport:
    """One reading of everything. A figure that could not be read is None.

    Attributes:
        redis_up, postgresql_up, sqs_up: whether the store responds and accepts writes.
        oldest_claim: age in seconds of the oldest unsettled V5 claim.
        dead_letters: messages in the DLQ, including those in flight.
        books: the books of the products on sale.
        holds: what payment holds and payments still wait for.
        rooms: the waiting rooms of the products on sale.

    """

    redis_up: bool
    postgresql_up: bool
    sqs_up: bool
    oldest_claim: float | None
    dead_letters: int | None
    books: Sequence[Books] | None
    holds: HoldFigures | None
    rooms: Sequence[RoomFigures] | None


async def read_health(services: Services, deadline: Deadline = NEVER) -> HealthReport:
    """Read the stores and all products on sale. A store that is down is not an error here."""
    up = await ask_stores(services)
    oldest = dead_letters = books = holds = rooms = None

    async def look() -> None:
        nonlocal oldest, dead_letters, books, holds
        products = await services.stock.list_sales()
        oldest = max([await services.ledger.oldest_age(id_) for id_ in products], default=0.0)
        dead_letters = await services.order_queue.waiting(services.settings.dead_letter_queue_url)
        waiting = await _messages(services)
        books = await read_books(services, products, waiting)

    async def look_at_holds() -> None:
        nonlocal holds
        holds = await read_hold_figures(services, await services.stock.list_sales())

    async def look_at_rooms() -> None:
        nonlocal rooms
        rooms = await measure_rooms(services, await services.stock.list_sales())

    with suppress(ServiceUnavailable):  # report what was read until then
        await deadline.bound(look())
    if up["redis"] and up["postgresql"]:  # holds need no SQS, which may have ended the first look
        with suppress(ServiceUnavailable):
            await deadline.bound(look_at_holds())
    if up["redis"]:
        with suppress(ServiceUnavailable):
            await deadline.bound(look_at_rooms())
    return HealthReport(
        up["redis"], up["postgresql"], up["sqs"], oldest, dead_letters, books, holds, rooms
    )


CHECKS: dict[str, Callable[[Services], Callable[[], Awaitable[None]]]] = {
    "redis": lambda services: services.stock.ping,
    "postgresql": lambda services: services.database.ping,
    "sqs": lambda services: services.order_queue.ping,
}
"""Checks by the name of the store. Each raises unless the store responds and accepts writes."""


async def ask_stores(services: Services, names: Collection[str] = tuple(CHECKS)) -> dict[str, bool]:
    """Return whether each of these stores responds and accepts writes, within `CHECK_TIME`.

    Whatever goes wrong, the store counts as down. The time begins when the adapters are built: in
    a new process, their imports would keep the other checks from reading answers that are there.
    """
    for name in names:
        with suppress(Exception):  # its check raises the same
            CHECKS[name](services)
    asked = {name: asyncio.create_task(_check(services, name)) for name in names}
    await asyncio.wait(asked.values(), timeout=CHECK_TIME)
    for name, task in asked.items():
        if task.cancel():
            logger.warning("%s is down: no answer within %g s", name, CHECK_TIME)
        elif error := task.exception():
            logger.warning("%s is down: %s: %s", name, type(error).__name__, error)
    return {name: _is_up(task) for name, task in asked.items()}


async def _check(services: Services, name: str) -> None:
    await CHECKS[name](services)()


def _is_up(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def messages_waiting(services: Services) -> Waiting:
    """Count the messages in all queues that this process knows; ANYTHING while SQS is down.

    A function may not receive messages only to read them, so all of them count as unread.
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
