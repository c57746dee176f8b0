"""How often the exporter reads the books, and what it shows between two reads."""

import asyncio
import itertools

import pytest

from flashsale.errors import DatabaseUnavailable
from flashsale_server.exporter.backoff import FACTOR
from flashsale_server.exporter.exporter import Exporter
from flashsale_server.exporter.sale import Sale
from tests.helpers.support import by_labels, until
from tests.helpers.unread_messages import Messages


async def test_books_are_read_again_as_soon_as_postgresql_is_back(without, services):
    sale = Sale(without("database_url"), Messages(0))
    with pytest.raises(DatabaseUnavailable):
        await sale.read_books()

    sale._services = services

    assert await sale.read_books()


async def test_sqs_is_not_asked_again_after_no_answer(services, new_product):
    await new_product(5, in_redis=7)  # no message explains it, so a second reading follows
    messages = Messages(None)

    await Sale(services, messages).read_books()

    assert messages.asked == 1


async def test_books_that_take_too_long_are_not_shown_until_they_are_read_again(
    services, monkeypatch
):
    clock = itertools.count()  # a read takes one second of this clock
    sale = Sale(services, Messages(0), lambda: next(clock))
    exporter = Exporter({"books": sale.read_books}, asyncio.get_running_loop())

    async def is_up():
        return by_labels(await exporter.scrape())["up", "books"]

    assert [await is_up() for _ in range(FACTOR - 1)] == [1] * (FACTOR - 1)
    async with services.database.transaction() as connection:
        await connection.execute("LOCK TABLE orders")
        # Only for the read that cannot end: the others may take as long as a busy machine needs.
        with monkeypatch.context() as patch:
            patch.setattr("flashsale_server.exporter.exporter.DEADLINE", 0.5)
            assert await is_up() == 0
    assert await is_up() == 0  # the next read is not due, and what was read before is old

    await until(is_up)
