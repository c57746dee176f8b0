"""What a person on call must know of a running sale: the stores, the relay, the books."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.deadline import NEVER, Deadline
from flashsale.errors import ServiceUnavailable
from flashsale.waiting import ANYTHING, Waiting

# Seconds after which a store that has not answered is down.
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at everything; what could not be seen is None.

    Attributes:
        redis_up, postgresql_up, sqs_up: whether it answers.
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


async def read_vitals(services: Services, deadline: Deadline = NEVER) -> Vitals:
    """Look at the stores and at all products on sale. A store that is down is no error here."""
    redis_up, postgresql_up, sqs_up = await asyncio.gather(
        _answers(services.stock.ping()),
        _answers(services.database.ping()),
        _answers(services.order_queue.ping()),
    )
    oldest = dead_letters = books = None

    async def look() -> None:
        nonlocal oldest, dead_letters, books
        products = await services.stock.sales()
        oldest = max([await services.ledger.oldest_age(id_) for id_ in products], default=0.0)
        dead_letters = await services.order_queue.waiting(services.settings.dead_letter_queue_url)
        waiting = await _messages(services)
        books = await read_books(services, products, waiting)

    with suppress(ServiceUnavailable):  # what was read until then is told
        await deadline.bound(look())
    return Vitals(redis_up, postgresql_up, sqs_up, oldest, dead_letters, books)


async def _answers(ping: Coroutine[Any, Any, None]) -> bool:
    try:
        await Deadline.after(PATIENCE).bound(ping)
    except ServiceUnavailable:
        return False
    return True


async def messages_waiting(services: Services) -> Waiting:
    """Messages in all queues whose address this process knows; ANYTHING while SQS does not say.

    A function may not receive messages to read them, so all of them are unread.
    """
    try:
        return await _messages(services)
    except ServiceUnavailable:
        return ANYTHING


async def _messages(services: Services) -> Waiting:
    settings = services.settings
    urls = settings.orders_queue_url, settings.dead_letter_queue_url, settings.parking_queue_url
    return Waiting(unread=sum([await services.order_queue.waiting(url) for url in urls if url]))
