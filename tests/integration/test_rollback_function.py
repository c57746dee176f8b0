"""The rollback use case on real stores: idempotent, safe in doubt, racing the order."""

import asyncio

from flashsale.domain.model import OrderStatus
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from tests.helpers.queued import books_of, queued, row_of


class TestCompensate:
    async def test_cancels_and_releases_exactly_once_however_often_it_runs(self, services, claimed):
        product_id = await claimed(1)
        (message,) = queued(product_id, user_id="nobody")
        await place_orders(services, [message])

        outcomes = [await compensate(services, [message]) for _ in range(3)]

        assert [outcome.released for outcome in outcomes] == [1, 0, 0]
        row = await row_of(services, message)
        assert (row["status"], row["user_id"]) == ("CANCELLED", None)
        assert "no user 'nobody'" in row["reason"], "the row has the reason"
        books = await books_of(services, product_id)
        assert (books.redis_stock, books.cancelled, books.balanced) == (1, 1, True)

    async def test_two_rollbacks_at_once_release_once(self, services, claimed):
        product_id = await claimed(1)
        messages = queued(product_id)

        outcomes = await asyncio.gather(*(compensate(services, messages) for _ in range(8)))

        assert sum(outcome.released for outcome in outcomes) == 1
        assert (await books_of(services, product_id)).redis_stock == 1

    async def test_a_crash_between_the_row_and_the_release_loses_nothing(
        self, services, claimed, without
    ):
        product_id = await claimed(1)
        (message,) = queued(product_id)

        died = await compensate(without("redis_url"), [message])  # the row is written, no release
        assert (await row_of(services, message))["status"] == "CANCELLED"
        assert (await books_of(services, product_id)).lost == 1
        again = await compensate(services, [message])

        assert [failure.message_id for failure in died.failures] == [message.id]
        assert again.released == 1
        assert (await books_of(services, product_id)).balanced

    async def test_a_confirmed_order_is_not_changed(self, services, claimed):
        product_id = await claimed(1)
        messages = queued(product_id)
        await place_orders(services, messages)

        outcome = await compensate(services, messages)

        assert (len(outcome.confirmed), outcome.released) == (1, 0)
        books = await books_of(services, product_id)
        assert (books.confirmed, books.redis_stock) == (1, 0)

    async def test_a_late_order_cannot_claim_released_units(self, services, claimed):
        product_id = await claimed(1)
        messages = queued(product_id)
        await compensate(services, messages)

        late = await place_orders(services, messages)

        assert (len(late.cancelled), late.released) == (1, 0)
        books = await books_of(services, product_id)
        assert (books.confirmed, books.redis_stock, books.postgres_stock) == (0, 1, 1)

    async def test_without_postgres_nothing_is_released(self, services, claimed, without):
        product_id = await claimed(1)
        messages = queued(product_id)

        outcome = await compensate(without("database_url"), messages)

        assert len(outcome.failures) == 1
        assert (await books_of(services, product_id)).redis_stock == 0

    async def test_order_and_rollback_race_and_exactly_one_wins(self, services, claimed):
        rounds = 60
        product_id = await claimed(rounds)
        statuses = set()

        for message in queued(product_id, rounds):
            placed, rolled_back = await asyncio.gather(
                place_orders(services, [message]), compensate(services, [message])
            )

            assert not placed.failures
            assert not rolled_back.failures
            status = (await row_of(services, message))["status"]
            released = placed.released + rolled_back.released
            assert released == (0 if status == OrderStatus.CONFIRMED else 1)
            statuses.add(status)

        books = await books_of(services, product_id)
        assert books.confirmed + books.redis_stock == rounds
        assert books.postgres_stock == rounds - books.confirmed
        assert books.balanced
