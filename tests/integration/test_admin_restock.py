"""Admin API: restock. Units are added once, to PostgreSQL first, then to the sale."""

import asyncio

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Refusal, Terms
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.usecases.books import read_books
from flashsale.usecases.sales import put_on_sale
from tests.helpers.admin_desk import books_of, claim, dies, sell
from tests.helpers.support import USERS


def restock(desk, product_id, units=5, key="one"):
    return desk.act(product_id, "restock", {"units": units}, key=f"{key}-{product_id}")


async def test_a_sold_out_sale_sells_again(desk, services, new_product):
    product_id = await new_product(2)
    await sell(services, product_id, USERS[:2])
    assert await claim(services, product_id) is Refusal.SOLD_OUT

    answer = await restock(desk, product_id)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["stock"], answer.json()["initial"]) == (5, 7)
    assert isinstance(await claim(services, product_id), Claimed)
    books = await books_of(services, product_id)
    assert (books.initial, books.postgres_stock, books.redis_stock) == (7, 5, 4)


async def test_each_key_adds_units_once(desk, services, new_product):
    product_id = await new_product(2)

    for _ in range(3):
        assert (await restock(desk, product_id)).status_code == 200
    changed = await restock(desk, product_id, units=6)
    await restock(desk, product_id, key="two")

    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    books = await books_of(services, product_id)
    assert (books.initial, books.redis_stock) == (12, 12)


async def test_at_the_same_instant(desk, services, new_product):
    product_id = await new_product(2)

    answers = await asyncio.gather(
        *(restock(desk, product_id) for _ in range(6)),
        *(restock(desk, product_id, key=f"k{n}") for n in range(4)),
    )

    assert {answer.status_code for answer in answers} == {200}
    books = await books_of(services, product_id)
    assert (books.initial, books.redis_stock) == (27, 27)
    assert [e.outcome for e in await desk.audit_of(product_id)] == ["done"] * 5


async def test_a_restock_needs_a_key(desk, services, new_product):
    product_id = await new_product(2)

    answer = await desk.act(product_id, "restock", {"units": 5})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (await books_of(services, product_id)).initial == 2


@pytest.mark.parametrize("after", [False, True])
async def test_redis_dies_on_the_way(desk, services, new_product, monkeypatch, after):
    product_id = await new_product(2)
    dies(monkeypatch, services.stock, "restock", StockUnavailable, after=after)

    failed = await restock(desk, product_id)
    (half_done,) = await read_books(services, [product_id])
    repeated = await restock(desk, product_id)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert (half_done.postgres_stock, half_done.redis_stock) == (7, 7 if after else 2)
    assert half_done.lost == (0 if after else 5), "units that cannot be bought yet are reported"
    books = await books_of(services, product_id)
    assert (books.postgres_stock, books.redis_stock) == (7, 7)


async def test_a_later_restock_completes_an_earlier_one(desk, services, without, new_product):
    product_id = await new_product(2)
    desk.services = without("redis_url")
    assert (await restock(desk, product_id)).status_code == 503
    desk.services = services

    await restock(desk, product_id, units=1, key="two")
    await restock(desk, product_id)

    assert (await books_of(services, product_id)).redis_stock == 8


async def test_postgresql_dies_at_the_end(desk, services, new_product, monkeypatch):
    product_id = await new_product(2)
    dies(monkeypatch, services.audit, "end", DatabaseUnavailable, after=False)

    failed, repeated = await restock(desk, product_id), await restock(desk, product_id)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    books = await books_of(services, product_id)
    assert (books.initial, books.redis_stock) == (7, 7)


async def test_without_postgresql_nothing_happens(desk, services, without, new_product):
    product_id = await new_product(2)
    desk.services = without("database_url")

    failed = await restock(desk, product_id)

    assert (failed.status_code, failed.json()["code"]) == (503, "unavailable")
    assert (await books_of(services, product_id)).redis_stock == 2


async def test_a_product_not_on_sale_yet_opens_with_all_units(desk, services, new_product):
    product_id = await new_product(2, on_sale=False)
    answer = await restock(desk, product_id)
    assert (answer.status_code, answer.json()["state"]) == (200, "none")

    opened = await desk.act(product_id, "open")
    await restock(desk, product_id)

    assert opened.json()["initial"] == 7
    assert (await books_of(services, product_id)).redis_stock == 7


async def test_a_sale_that_opens_between_the_two_steps_counts_the_units_once(
    desk, services, without, new_product
):
    product_id = await new_product(2, on_sale=False)
    desk.services = without("redis_url")
    assert (await restock(desk, product_id)).status_code == 503  # PostgreSQL has the units
    desk.services = services
    await desk.act(product_id, "open")

    await restock(desk, product_id)

    assert (await books_of(services, product_id)).redis_stock == 7


async def test_a_sale_that_opens_with_an_outdated_stock_gets_the_units(desk, services, new_product):
    product_id = await new_product(2, on_sale=False)
    old = await services.products.get_supply(product_id)
    await restock(desk, product_id)  # there is no sale yet

    await put_on_sale(services, old, old.stock, Terms())

    assert (await books_of(services, product_id)).redis_stock == 7


@pytest.mark.parametrize("state", ["pause", "end"])
async def test_a_paused_or_ended_sale_keeps_new_units(desk, services, new_product, state):
    product_id = await new_product(2)
    await desk.act(product_id, state)

    answer = await restock(desk, product_id)
    going_on = await desk.act(product_id, "resume" if state == "pause" else "open")

    assert (answer.json()["stock"], answer.json()["initial"]) == (7, 7)
    assert (going_on.status_code, going_on.json()["stock"]) == (200, 7)
    await books_of(services, product_id)


async def test_more_than_can_be_counted(desk, services):
    product = {"id": "huge", "name": "huge", "price": 1, "stock": 1_000_000_000}
    await desk.post("/products", product)
    async with services.database.transaction() as connection:
        await connection.execute(
            "UPDATE products SET initial_stock = 2147483647, stock = 5 WHERE id = 'huge'"
        )

    answer = await restock(desk, "huge", key="too-many")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_units")
