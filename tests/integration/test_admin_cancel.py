"""Admin API: cancel an order. Its units return once, despite crashes and late messages."""

import asyncio

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import OrderStatus, Refusal
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from tests.helpers.admin_desk import books_of, claim, dies, message_of, sell
from tests.helpers.support import USERS


async def test_units_of_a_cancelled_order_are_sold_again(desk, services, new_product):
    product_id = await new_product(4)
    order, _ = await sell(services, product_id, USERS[:2], 2)
    assert await claim(services, product_id) is Refusal.SOLD_OUT

    answer = await desk.cancel(order.id)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "orderId": order.id, "status": "CANCELLED", "reason": "broken in transit",
    }  # fmt: skip
    books = await books_of(services, product_id)
    assert (books.confirmed, books.cancelled, books.redis_stock) == (2, 2, 2)
    assert (books.ledger.settled, books.ledger.released, books.ledger.initial) == (2, 2, 4)
    assert isinstance(await claim(services, product_id, quantity=2), Claimed)


async def test_cancelling_is_idempotent_even_concurrently(desk, services, new_product):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)

    answers = await asyncio.gather(*(desk.cancel(order.id) for _ in range(8)))
    again = await desk.cancel(order.id, "another reason")

    assert {answer.status_code for answer in answers} == {200}
    assert again.json()["reason"] == "broken in transit", "the first reason is kept"
    books = await books_of(services, product_id)
    assert (books.redis_stock, books.postgres_stock, books.ledger.released) == (4, 4, 2)


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("after", [True, False])
async def test_redis_dies_on_the_way(desk, services, new_product, monkeypatch, settled, after):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2, settle=settled)
    dies(monkeypatch, services.ledger, "give_back", StockUnavailable, after=after)

    failed = await desk.cancel(order.id, key=f"c-{order.id}")
    begun = await desk.audit_of(order.id)
    repeated = await desk.cancel(order.id, key=f"c-{order.id}")

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert [entry.outcome for entry in begun] == ["begun"]
    assert [entry.outcome for entry in await desk.audit_of(order.id)] == ["done"]
    books = await books_of(services, product_id)
    assert (books.redis_stock, books.postgres_stock) == (4, 4)


async def test_redis_is_never_ahead_of_postgresql(desk, services, new_product, monkeypatch):
    """A buyer of the returned unit must find it in PostgreSQL, too."""
    product_id = await new_product(1)
    (order,) = await sell(services, product_id, USERS[:1])
    dies(monkeypatch, services.audit, "begin", DatabaseUnavailable, after=False)

    failed = await desk.cancel(order.id)

    assert failed.status_code == 503
    assert await claim(services, product_id) is Refusal.SOLD_OUT


async def test_postgresql_dies_at_the_end(desk, services, new_product, monkeypatch):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    dies(monkeypatch, services.audit, "end", DatabaseUnavailable, after=False)

    failed, repeated = await desk.cancel(order.id), await desk.cancel(order.id)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert (await books_of(services, product_id)).redis_stock == 4


@pytest.mark.parametrize("late", [place_orders, compensate])
@pytest.mark.parametrize("settled", [True, False])
async def test_late_messages_change_nothing(desk, services, new_product, late, settled):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2, settle=settled)
    await desk.cancel(order.id)
    before = await books_of(services, product_id)

    await late(services, [message_of(order)])
    await services.ledger.settle(product_id, [order])

    assert await books_of(services, product_id) == before
    assert before.redis_stock == 4


@pytest.mark.parametrize("late", [place_orders, compensate])
async def test_a_late_message_comes_between_the_two_steps(
    desk, services, new_product, monkeypatch, late
):
    """The order is cancelled in PostgreSQL only, so the late message could return units, too."""
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2, settle=False)
    dies(monkeypatch, services.ledger, "give_back", StockUnavailable, after=False)
    assert (await desk.cancel(order.id)).status_code == 503

    await late(services, [message_of(order)])
    await desk.cancel(order.id)

    books = await books_of(services, product_id)
    assert (books.redis_stock, books.ledger.released) == (4, 2)


async def test_a_claim_without_an_order_is_cancelled_permanently(desk, services, new_product):
    product_id = await new_product(4)
    await claim(services, product_id, quantity=2)
    (order,) = await services.ledger.take_unsent(product_id, 1)

    answer = await desk.cancel(order.id)
    outcome = await place_orders(services, [message_of(order)])

    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    assert (outcome.confirmed, len(outcome.cancelled)) == ([], 1)
    books = await books_of(services, product_id)
    assert (books.confirmed, books.redis_stock, books.postgres_stock) == (0, 4, 4)


@pytest.mark.parametrize("after", [True, False])
async def test_redis_dies_while_a_claim_is_cancelled(
    desk, services, new_product, monkeypatch, after
):
    product_id = await new_product(4)
    await claim(services, product_id, quantity=2)
    (order,) = await services.ledger.take_unsent(product_id, 1)
    dies(monkeypatch, services.ledger, "release", StockUnavailable, after=after)

    failed, repeated = await desk.cancel(order.id), await desk.cancel(order.id)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert (await books_of(services, product_id)).redis_stock == 4


@pytest.mark.usefixtures("long_line")
async def test_a_cancel_races_with_the_order_and_rollback_functions(desk, services, new_product):
    product_id = await new_product(40)
    for user in USERS[:20]:
        await claim(services, product_id, user, 2)
    orders = await services.ledger.take_unsent(product_id, 100)

    await asyncio.gather(
        *(place_orders(services, [message_of(order)]) for order in orders),
        *(desk.cancel(order.id) for order in orders),
        *(compensate(services, [message_of(order)]) for order in orders[:10]),
    )

    rows = [await services.orders.get(order.id) for order in orders]
    assert {row.status for row in rows} == {OrderStatus.CANCELLED}
    books = await books_of(services, product_id)
    assert (books.redis_stock, books.postgres_stock, books.unsettled) == (40, 40, 0)
