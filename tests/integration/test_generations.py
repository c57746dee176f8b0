"""What V1 to V3 do under concurrency and failure, on real stores."""

import asyncio
import dataclasses
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import Refusal
from flashsale.domain.purchases import Purchase
from flashsale.errors import DatabaseUnavailable
from flashsale.generations import v1, v2, v3
from flashsale.postgres_store.database import sql
from flashsale.services import Services
from flashsale.usecases.books import read_books
from flashsale_local.stack.program import free_port
from tests.helpers.support import USERS


def order(product_id, generation, user_id=USERS[0]):
    return QueuedOrder(
        id=str(uuid.uuid4()), product_id=product_id, user_id=user_id, generation=generation
    )


async def crowd(buy, services, product_id, generation, buyers=100):
    orders = [order(product_id, generation, user) for user in USERS[:buyers]]
    return await asyncio.gather(*(buy(services, o) for o in orders))


async def books_of(services, product_id):
    (books,) = await read_books(services, [product_id])
    return books


async def test_v1_sells_one_unit_to_one_buyer_at_a_time(services, new_product):
    product_id = await new_product(2)

    answers = [await v1.buy(services, order(product_id, 1)) for _ in range(3)]

    assert [type(a) for a in answers[:2]] == [Purchase, Purchase]
    assert [a.updated_product.stock for a in answers[:2]] == [1, 0]
    assert answers[2] is Refusal.SOLD_OUT
    assert (await books_of(services, product_id)).balanced


@pytest.mark.usefixtures("long_line")
async def test_v1_oversells_under_concurrency(services, new_product):
    product_id = await new_product(10)

    await crowd(v1.buy, services, product_id, 1)

    books = await books_of(services, product_id)
    assert books.oversold > 0
    assert not books.balanced
    assert not books.broken, "V1 promises no balanced books, so no alarm is raised"


@pytest.mark.usefixtures("long_line")
async def test_v2_sells_exactly_its_stock_under_concurrency(services, new_product):
    product_id = await new_product(10)

    answers = await crowd(v2.buy, services, product_id, 2)

    assert sum(isinstance(a, Purchase) for a in answers) == 10
    assert answers.count(Refusal.SOLD_OUT) == 90
    books = await books_of(services, product_id)
    assert (books.confirmed, books.postgres_stock, books.balanced) == (10, 0, True)


async def test_v2s_statement_has_exactly_10_winners_in_100_threads(services, new_product, settings):
    product_id = await new_product(10)
    together = threading.Barrier(100)

    def take(_):
        with psycopg.connect(settings.database_url) as connection:
            together.wait()
            parameters = {"id": product_id, "quantity": 1}
            return connection.execute(sql("take_units"), parameters).fetchone() is not None

    with ThreadPoolExecutor(100) as pool:
        won = await asyncio.to_thread(lambda: list(pool.map(take, range(100))))

    assert won.count(True) == 10


@pytest.mark.parametrize(("buy", "generation"), [(v1.buy, 1), (v2.buy, 2), (v3.buy, 3)])
async def test_an_unknown_product_is_rejected(services, buy, generation):
    assert await buy(services, order("no-such", generation)) is Refusal.NO_SUCH_PRODUCT


@pytest.mark.parametrize(("buy", "generation"), [(v1.buy, 1), (v2.buy, 2)])
async def test_an_unknown_user_is_rejected(services, new_product, buy, generation):
    product_id = await new_product(1)

    answer = await buy(services, order(product_id, generation, "nobody"))

    assert answer is Refusal.NO_SUCH_USER
    assert (await books_of(services, product_id)).confirmed == 0


async def test_v2_takes_no_unit_for_a_user_that_does_not_exist(services, new_product):
    product_id = await new_product(1)

    await v2.buy(services, order(product_id, 2, "nobody"))

    assert (await books_of(services, product_id)).balanced


@pytest.mark.usefixtures("long_line")
async def test_v3_sells_exactly_its_stock_under_concurrency(services, new_product):
    product_id = await new_product(10)

    answers = await crowd(v3.buy, services, product_id, 3)

    assert sum(isinstance(a, Purchase) for a in answers) == 10
    assert (await books_of(services, product_id)).balanced


async def test_v3_loses_a_unit_when_postgres_fails_after_the_decrement(
    services, new_product, migrated
):
    product_id = await new_product(10)
    await v3.buy(services, order(product_id, 3))
    database_gone = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    broken = Services(dataclasses.replace(migrated, database_url=database_gone))

    with pytest.raises(DatabaseUnavailable):
        await v3.buy(broken, order(product_id, 3))
    await broken.close()

    books = await books_of(services, product_id)
    assert (books.lost, books.balanced, books.broken) == (1, False, False)
    assert (books.redis_stock, books.postgres_stock, books.confirmed) == (8, 9, 1)
