"""Admin API: cancel an order of a paused, ended or earlier sale, or another generation."""

import uuid

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import Refusal, Terms
from flashsale.errors import StockUnavailable
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.rebuild import rebuild
from flashsale.usecases.sales import put_on_sale
from tests.helpers.admin_desk import books_of, claim, dies, message_of, sell
from tests.helpers.queued import queued
from tests.helpers.support import USERS


async def test_the_purchase_limit_is_released(desk, services, new_product):
    product_id = await new_product(10, on_sale=False)
    await services.stock.open_sale(product_id, 10, Terms(limit_per_buyer=2))
    (settled,) = await sell(services, product_id, USERS[:1], 2)
    (unsettled,) = await sell(services, product_id, USERS[1:2], 2, settle=False)
    assert await claim(services, product_id) is Refusal.PURCHASE_LIMIT

    for order in (settled, unsettled):
        await desk.cancel(order.id)

    assert isinstance(await claim(services, product_id, USERS[0], 2), Claimed)
    assert isinstance(await claim(services, product_id, USERS[1], 2), Claimed)


@pytest.mark.parametrize("state", ["pause", "end"])
async def test_a_paused_or_ended_sale_keeps_the_units(desk, services, new_product, state):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    await desk.act(product_id, state)

    await desk.cancel(order.id)
    going_on = await desk.act(product_id, "resume" if state == "pause" else "open")

    assert going_on.json()["stock"] == 4
    await books_of(services, product_id)


async def test_an_order_of_an_earlier_sale(desk, services, new_product):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    await desk.act(product_id, "end")
    await desk.act(product_id, "open")

    await desk.cancel(order.id)
    await desk.cancel(order.id)

    books = await books_of(services, product_id)
    assert (books.redis_stock, books.ledger.initial, books.ledger.settled) == (4, 4, 0)


async def test_a_rebuild_between_the_two_steps_counts_the_units_once(
    desk, services, new_product, monkeypatch
):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    dies(monkeypatch, services.ledger, "give_back", StockUnavailable, after=False)
    assert (await desk.cancel(order.id)).status_code == 503
    keys = Keys(product_id)
    await services.redis.delete(keys.stock, keys.sale, keys.ledger)

    assert await rebuild(services, [product_id], lambda: 0, 60, grace=0) == {product_id: 4}
    await desk.cancel(order.id)

    books = await books_of(services, product_id)
    assert (books.redis_stock, books.postgres_stock) == (4, 4)


async def test_a_sale_that_opens_with_an_outdated_stock_gets_the_units(desk, services, new_product):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    old = await services.products.get_supply(product_id)
    keys = Keys(product_id)
    await services.redis.delete(keys.stock, keys.sale, keys.ledger)
    await desk.cancel(order.id)  # there is no sale yet

    await put_on_sale(services, old, old.stock, Terms(), again=True)

    assert (await books_of(services, product_id)).redis_stock == 4


@pytest.mark.parametrize("late", [place_orders, compensate])
async def test_an_order_of_v4(desk, services, new_product, late):
    product_id = await new_product(4)
    await services.stock.decrement(product_id, 1)
    (message,) = queued(product_id, 1)
    order_id = QueuedOrder.model_validate_json(message.body).id
    too_early = await desk.cancel(order_id)
    await place_orders(services, [message])

    for _ in range(2):
        assert (await desk.cancel(order_id)).status_code == 200
        await late(services, [message])

    assert (too_early.status_code, too_early.json()["code"]) == (404, "no_such_order")
    books = await books_of(services, product_id)
    assert (books.confirmed, books.redis_stock, books.postgres_stock) == (0, 4, 4)


async def test_a_repeated_rollback_of_v4_releases_nothing_in_a_later_sale(
    desk, services, new_product
):
    product_id = await new_product(4)
    await services.stock.decrement(product_id, 1)
    (message,) = queued(product_id, 1)
    await compensate(services, [message])
    await desk.act(product_id, "end")
    assert (await desk.act(product_id, "open")).status_code == 200

    await compensate(services, [message])

    assert await services.stock.left([product_id]) == [4]


async def test_units_of_v2_return_to_postgresql_only(desk, services, new_product):
    product_id = await new_product(4)
    order = QueuedOrder(id=str(uuid.uuid4()), product_id=product_id, user_id=USERS[0], generation=2)
    await services.orders.take_units_and_insert(order)

    await desk.cancel(order.id)

    books = await books_of(services, product_id)
    assert (books.postgres_stock, books.redis_stock) == (4, 4)


async def test_an_order_cancelled_by_the_rollback_releases_nothing_again(
    desk, services, new_product
):
    product_id = await new_product(4)
    await claim(services, product_id, quantity=2)
    (order,) = await services.ledger.take_unsent(product_id, 1)
    await compensate(services, [message_of(order)])

    answer = await desk.cancel(order.id)

    assert answer.status_code == 200
    assert (await books_of(services, product_id)).redis_stock == 4


@pytest.mark.parametrize("order_id", ["no-such-order", "p-01:1-1", ":1-1", "a:b:c", "{x}:1-1"])
async def test_an_order_that_does_not_exist(desk, order_id):
    answer = await desk.cancel(order_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_order")
