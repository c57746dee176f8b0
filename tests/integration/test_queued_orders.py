"""The order and rollback use cases on real stores: duplicates, misfits, bad orders, races."""

import asyncio
import dataclasses
import uuid

import pytest

from flashsale.batch import Message
from flashsale.books import read_books
from flashsale.bootstrap import Services
from flashsale.compensate import compensate
from flashsale.model import Order, OrderStatus, orders_of_message
from flashsale.orders import NO_UNITS_LEFT
from flashsale.place_orders import place_orders
from tests.support import USERS, free_port


def queued(product_id, count=1, user_id=USERS[0], quantity=1):
    orders = [
        Order(
            id=str(uuid.uuid4()),
            product_id=product_id,
            user_id=user_id,
            quantity=quantity,
            generation=4,
        )
        for _ in range(count)
    ]
    return [Message(f"m-{order.id}", order.model_dump_json()) for order in orders]


@pytest.fixture
async def claimed(services, new_product):
    """A product whose units were all claimed: nothing left in Redis, all still in PostgreSQL."""

    async def make(units, in_postgres=None):
        return await new_product(units if in_postgres is None else in_postgres, in_redis=0)

    return make


async def books_of(services, product_id):
    (books,) = await read_books(services, [product_id])
    return books


async def row_of(services, message):
    order = orders_of_message(message.body)[0]
    async with services.database.transaction() as connection:
        cursor = await connection.execute("SELECT * FROM orders WHERE id = %s", [order.id])
        return await cursor.fetchone()


@pytest.fixture
async def without(migrated):
    """The services with one store gone: `without("redis_url")`."""
    made = []

    def build(url):
        scheme = getattr(migrated, url).split(":")[0]
        gone = dataclasses.replace(migrated, **{url: f"{scheme}://127.0.0.1:{free_port()}/0"})
        made.append(Services(gone))
        return made[-1]

    yield build
    for services in made:
        await services.close()


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

        outcome = await place_orders(services, [message, Message("again", message.body)])

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
        product_id = await claimed(3, in_postgres=2)  # Redis gave away more than there is
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

    async def test_one_bad_order_does_not_hold_up_the_others(self, services, claimed):
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
    async def test_a_message_that_is_no_order_is_reported_alone(self, services, claimed, body):
        product_id = await claimed(1)

        outcome = await place_orders(services, [Message("poison", body), *queued(product_id)])

        assert [failure.message_id for failure in outcome.failures] == ["poison"]
        assert "not an order" in outcome.failures[0].cause
        assert len(outcome.confirmed) == 1

    async def test_without_postgres_every_message_comes_again(self, services, claimed, without):
        product_id = await claimed(2)
        messages = queued(product_id, 2)

        outcome = await place_orders(without("database_url"), messages)

        assert {failure.message_id for failure in outcome.failures} == {m.id for m in messages}
        assert (await books_of(services, product_id)).confirmed == 0

    async def test_without_redis_a_cancelled_order_comes_again_until_it_is_released(
        self, services, claimed, without
    ):
        product_id = await claimed(1, in_postgres=0)
        (message,) = queued(product_id)

        failed = await place_orders(without("redis_url"), [message])
        healed = await place_orders(services, [message])

        assert [failure.message_id for failure in failed.failures] == [message.id]
        assert (healed.failures, healed.released) == ([], 1)
        assert (await books_of(services, product_id)).redis_stock == 1


class TestCompensate:
    async def test_cancels_and_releases_exactly_once_however_often_it_runs(self, services, claimed):
        product_id = await claimed(1)
        (message,) = queued(product_id, user_id="nobody")
        await place_orders(services, [message])

        outcomes = [await compensate(services, [message]) for _ in range(3)]

        assert [outcome.released for outcome in outcomes] == [1, 0, 0]
        row = await row_of(services, message)
        assert (row["status"], row["user_id"]) == ("CANCELLED", None)
        assert "no user 'nobody'" in row["reason"], "the row says why"
        books = await books_of(services, product_id)
        assert (books.redis_stock, books.cancelled, books.balanced) == (1, 1, True)

    async def test_two_rollbacks_at_once_release_once(self, services, claimed):
        product_id = await claimed(1)
        messages = queued(product_id)

        outcomes = await asyncio.gather(*(compensate(services, messages) for _ in range(8)))

        assert sum(outcome.released for outcome in outcomes) == 1
        assert (await books_of(services, product_id)).redis_stock == 1

    async def test_dying_between_the_row_and_the_release_loses_nothing(
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

    async def test_a_confirmed_order_is_left_alone(self, services, claimed):
        product_id = await claimed(1)
        messages = queued(product_id)
        await place_orders(services, messages)

        outcome = await compensate(services, messages)

        assert (len(outcome.confirmed), outcome.released) == (1, 0)
        books = await books_of(services, product_id)
        assert (books.confirmed, books.redis_stock) == (1, 0)

    async def test_a_late_order_cannot_bring_released_units_back(self, services, claimed):
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
