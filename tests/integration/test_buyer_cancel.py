"""A buyer cancels a RESERVED order. Its units return at once, and once, despite crashes."""

import asyncio

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Refusal
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from tests.helpers.admin_desk import dies, sell
from tests.helpers.in_process import buyer_of
from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop
from tests.integration.test_v5_api import is_problem
from tests.integration.v5_claims import buy

WORDS = "The order was cancelled by its buyer."


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
async def http(services):
    async with buyer_of(services) as client:
        yield client


def cancel(http, order):
    return http.post(f"/api/v5/orders/{order.id}/cancel")


async def test_the_units_are_on_sale_again_at_once(shop, http):
    order = await shop.reserve(units=10)
    assert await buy(shop.services.ledger, shop.product_id, USERS[1]) is Refusal.SOLD_OUT
    before = (await http.get(f"/api/v5/orders/{order.id}")).json()

    answer = await cancel(http, order)

    assert answer.status_code == 200, answer.text
    assert answer.json() == before | {"status": "CANCELLED", "reason": WORDS}
    assert (await http.get(f"/api/v5/orders/{order.id}")).json() == answer.json()
    assert await shop.where() == (10, 0, 0, 0)
    again = await buy(shop.services.ledger, shop.product_id, USERS[1])
    assert isinstance(again, Claimed)


async def test_cancelling_again_is_answered_alike(shop, http):
    order = await shop.reserve(units=2)

    answers = await asyncio.gather(*(cancel(http, order) for _ in range(8)))
    answers.append(await cancel(http, order))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await shop.where() == (10, 0, 0, 0)


async def test_only_a_reserved_order_can_be_cancelled(shop, http):
    paid, late, by_admin = [await shop.reserve(user) for user in USERS[:3]]
    await shop.pay(paid)
    await shop.cancel(by_admin)
    await shop.time_passes()
    await shop.expire()

    for order, status in ((paid, "CONFIRMED"), (late, "EXPIRED"), (by_admin, "CANCELLED")):
        answer = await cancel(http, order)
        assert is_problem(answer, 409, "not_cancellable")
        assert status in answer.json()["detail"]
        assert await shop.status(order) == status
    assert await shop.where() == (9, 0, 0, 1)


async def test_a_pending_order_can_be_cancelled_later(shop, http):
    order = await shop.claim()

    early = await cancel(http, order)
    assert is_problem(early, 409, "not_cancellable")
    assert early.json()["detail"] == "The order is PENDING; try again once it is RESERVED."
    await shop.write(order)

    assert (await cancel(http, order)).status_code == 200
    assert await shop.where() == (10, 0, 0, 0)


async def test_an_order_without_a_hold_cannot_be_cancelled(http, services, new_product):
    (order,) = await sell(services, await new_product(3), USERS[:1])

    answer = await cancel(http, order)

    assert is_problem(answer, 409, "not_cancellable")
    assert "CONFIRMED" in answer.json()["detail"]


@pytest.mark.parametrize("order_id", ["unknown", "p:1-0", "p:1-0{}", "%00"])
async def test_an_unknown_order_cannot_be_cancelled(http, order_id):
    assert is_problem(await http.post(f"/api/v5/orders/{order_id}/cancel"), 404, "not_found")


@pytest.mark.parametrize("after", [True, False])
async def test_redis_dies_and_the_buyer_tries_again(shop, http, monkeypatch, after):
    order = await shop.reserve(units=2)
    dies(monkeypatch, shop.services.ledger, "give_back", StockUnavailable, after=after)

    failed, repeated = await cancel(http, order), await cancel(http, order)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert "retry-after" in failed.headers
    assert await shop.where() == (10, 0, 0, 0)


async def test_redis_dies_and_the_buyer_is_gone(shop, http, monkeypatch):
    """The sweep gives the units back when the hold would have ended."""
    order = await shop.reserve(units=2)
    dies(monkeypatch, shop.services.ledger, "give_back", StockUnavailable, after=False)
    assert (await cancel(http, order)).status_code == 503

    await shop.expire()
    assert (await shop.services.ledger.snapshot(shop.product_id, count_claims=True)).held == 2
    await shop.time_passes()
    assert await shop.expire() == 2

    assert (await shop.status(order), await shop.where()) == ("CANCELLED", (10, 0, 0, 0))


async def test_a_cancel_before_the_claim_was_moved_to_the_holds(shop, http, monkeypatch):
    """The order function died between PostgreSQL and Redis, and then its message comes again."""
    order = await shop.claim(units=2)
    await shop.services.orders.write_batch([order])
    assert (await shop.status(order), await shop.where()) == ("RESERVED", (8, 2, 0, 0))
    dies(monkeypatch, shop.services.ledger, "give_back", StockUnavailable, after=False)
    assert (await cancel(http, order)).status_code == 503

    await shop.write(order)

    assert await shop.where() == (10, 0, 0, 0)
    assert (await cancel(http, order)).status_code == 200
    assert await shop.where() == (10, 0, 0, 0)


async def test_postgresql_dies_after_the_commit(shop, http, monkeypatch):
    order = await shop.reserve(units=2)
    dies(monkeypatch, shop.services.orders, "cancel_if_reserved", DatabaseUnavailable, after=True)

    failed, repeated = await cancel(http, order), await cancel(http, order)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert await shop.where() == (10, 0, 0, 0)


async def test_a_payment_after_the_cancel_is_refunded(shop, http):
    order = await shop.reserve()
    assert (await cancel(http, order)).status_code == 200

    decided = await shop.pay(order)

    assert (decided.decision, decided.why) == ("REFUND_DUE", "cancelled")
    assert await shop.where() == (10, 0, 0, 0)


async def test_a_payment_and_a_cancel_at_once_agree(shop, http):
    orders = [await shop.reserve(user) for user in USERS[:6]]

    answers = await asyncio.gather(
        *(act(order) for order in orders for act in (shop.pay, lambda one: cancel(http, one)))
    )

    for order, decided, answer in zip(orders, answers[::2], answers[1::2], strict=True):
        paid = decided.decision == "APPLIED"
        assert await shop.status(order) == ("CONFIRMED" if paid else "CANCELLED")
        assert answer.status_code == (409 if paid else 200)
    confirmed = sum(one.decision == "APPLIED" for one in answers[::2])
    assert await shop.where() == (10 - confirmed, 0, 0, confirmed)
