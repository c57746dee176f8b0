"""The order use case on real stores: duplicates, invalid orders, too few units, outages."""

import asyncio

import pytest

from flashsale.domain.model import NO_UNITS_LEFT
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.place_orders import place_orders
from tests.helpers.queued import books_of, queued, row_of


class TestPlaceOrders:
    async def test_confirms_a_batch_and_takes_its_units(self, services, claimed):
        product_id = await claimed(10)

        outcome = await place_orders(services, queued(product_id, 10))

        assert len(outcome.confirmed) == 10
        assert not outcome.failures
        books = await books_of(services, product_id)
        assert (books.confirmed, books.postgres_stock, books.balanced) == (10, 0, True)

    async def test_an_empty_batch_does_nothing(self, services):
        outcome = await place_orders(services, [])

        assert (outcome.confirmed, outcome.failures) == ([], [])

    async def test_the_same_message_three_times_makes_one_order(self, services, claimed):
        product_id = await claimed(5)
        message = queued(product_id)[0]

        for _ in range(3):
            outcome = await place_orders(services, [message])
            assert [order.id for order in outcome.confirmed]

        books = await books_of(services, product_id)
        assert (books.confirmed, books.postgres_stock) == (1, 4)

    async def test_the_same_message_twice_in_one_batch_makes_one_order(self, services, claimed):
        product_id = await claimed(5)
        message = queued(product_id)[0]

        outcome = await place_orders(services, [message, ReceivedMessage("again", message.body)])

        assert not outcome.failures
        assert (await books_of(services, product_id)).confirmed == 1

    async def test_the_same_messages_in_two_batches_at_once(self, services, claimed):
        product_id = await claimed(50)
        messages = queued(product_id, 20)

        outcomes = await asyncio.gather(
            place_orders(services, messages),
            place_orders(services, messages[::-1]),
            place_orders(services, messages),
        )

        assert not any(outcome.failures for outcome in outcomes)
        books = await books_of(services, product_id)
        assert (books.confirmed, books.postgres_stock) == (20, 30)

    async def test_an_order_that_no_longer_fits_is_cancelled_and_released_once(
        self, services, claimed
    ):
        product_id = await claimed(3, in_postgres=2)  # Redis sold more than PostgreSQL has
        messages = queued(product_id, 3)

        first = await place_orders(services, messages)
        again = await place_orders(services, messages)

        assert (len(first.confirmed), len(first.cancelled), first.released) == (2, 1, 1)
        assert (len(again.confirmed), len(again.cancelled), again.released) == (2, 1, 0)
        row = await row_of(services, next(m for m in messages if m.id[2:] == first.cancelled[0].id))
        assert (row["status"], row["reason"]) == ("CANCELLED", NO_UNITS_LEFT)
        books = await books_of(services, product_id)
        assert (books.confirmed, books.postgres_stock, books.redis_stock) == (2, 0, 1)

    async def test_a_smaller_order_may_fit_where_a_larger_one_does_not(self, services, claimed):
        product_id = await claimed(0, in_postgres=3)
        messages = [
            *queued(product_id, quantity=2),
            *queued(product_id, quantity=2),
            *queued(product_id, quantity=1),
        ]

        outcome = await place_orders(services, messages)

        confirmed = sum(order.quantity for order in outcome.confirmed)
        assert confirmed == 3
        assert (await books_of(services, product_id)).postgres_stock == 0

    async def test_an_invalid_order_does_not_delay_the_others(self, services, claimed):
        product_id = await claimed(10)
        bad = queued(product_id, user_id="nobody")
        messages = [*queued(product_id, 5), *bad, *queued(product_id, 4)]

        outcome = await place_orders(services, messages)

        assert len(outcome.confirmed) == 9
        assert [failure.message_id for failure in outcome.failures] == [bad[0].id]
        assert "no user 'nobody'" in outcome.failures[0].cause
        assert await services.failures.causes([bad[0].id]) == {bad[0].id: outcome.failures[0].cause}
        assert (await books_of(services, product_id)).confirmed == 9

    @pytest.mark.parametrize("body", ["", "{}", "not json", "[]", '{"id": 1}', "\x00"])
    async def test_only_an_invalid_message_is_reported(self, services, claimed, body):
        product_id = await claimed(1)

        outcome = await place_orders(
            services, [ReceivedMessage("poison", body), *queued(product_id)]
        )

        assert [failure.message_id for failure in outcome.failures] == ["poison"]
        assert "not an order" in outcome.failures[0].cause
        assert len(outcome.confirmed) == 1

    async def test_without_postgres_every_message_is_retried(self, services, claimed, without):
        product_id = await claimed(2)
        messages = queued(product_id, 2)

        outcome = await place_orders(without("database_url"), messages)

        assert {failure.message_id for failure in outcome.failures} == {m.id for m in messages}
        assert (await books_of(services, product_id)).confirmed == 0

    async def test_without_redis_a_cancelled_order_is_retried_until_released(
        self, services, claimed, without
    ):
        product_id = await claimed(1, in_postgres=0)
        (message,) = queued(product_id)

        failed = await place_orders(without("redis_url"), [message])
        healed = await place_orders(services, [message])

        assert [failure.message_id for failure in failed.failures] == [message.id]
        assert (healed.failures, healed.released) == ([], 1)
        assert (await books_of(services, product_id)).redis_stock == 1
