"""What a person on call must know of a running sale: the stores, the relay, the books."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.errors import ServiceUnavailable
from flashsale.waiting import ANYTHING, Waiting


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


async def read_vitals(services: Services) -> Vitals:
    """Look at the stores and at all products on sale. A store that is down is no error here."""
    redis_up = await _answers(services.stock.ping())
    postgresql_up = await _answers(services.database.ping())
    sqs_up = await _answers(services.order_queue.ping())
    oldest = dead_letters = books = None
    try:
        products = await services.stock.sales()
        oldest = max([await services.ledger.oldest_age(id_) for id_ in products], default=0.0)
        dead_letters = await services.order_queue.waiting(services.settings.dead_letter_queue_url)
        waiting = await _messages(services)
        books = await read_books(services, products, waiting)
    except ServiceUnavailable:
        pass  # what was read until then is told
    return Vitals(redis_up, postgresql_up, sqs_up, oldest, dead_letters, books)


async def _answers(ping: Awaitable[None]) -> bool:
    try:
        await ping
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
