"""Held orders as the live page pays them, and what it says of their ends."""

import re
from datetime import datetime, timedelta

import pytest

from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.live_page.payments import held_orders, pay_held, when_they_expire
from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
def pay(shop):
    """Pay an order as the payment function does."""

    async def by_function(order_id):
        await shop.pay(await shop.services.orders.get(order_id))

    return by_function


async def test_one_held_order_is_paid_and_then_all(services, shop, pay):
    orders = [await shop.reserve(user) for user in USERS[:3]]

    one = await pay_held(services, shop.product_id, 1, pay)
    assert one == f"1 of 3 held orders of {shop.product_id} were paid."
    assert await shop.where() == (7, 0, 2, 1)
    assert await shop.status(orders[2]) == "CONFIRMED", "its hold ends last"

    await pay_held(services, shop.product_id, None, pay)
    assert await shop.where() == (7, 0, 0, 3)
    nothing = await pay_held(services, shop.product_id, 1, pay)
    assert nothing == f"No order of {shop.product_id} is held."


async def test_of_payments_that_fail_the_others_are_made(services, shop, pay):
    first, *_ = [await shop.reserve(user) for user in USERS[:3]]

    async def fail_for_the_first(order_id):
        if order_id == first.id:
            raise ConnectionError("no provider")
        await pay(order_id)

    said = await pay_held(services, shop.product_id, None, fail_for_the_first)

    assert said.endswith("were paid. 1 were not: no provider")
    assert [hold.order_id for hold in await held_orders(services, shop.product_id)] == [first.id]
    with pytest.raises(ConnectionError):
        await pay_held(services, shop.product_id, None, fail_for_the_first)


async def test_the_page_says_when_units_come_back(services, shop):
    nothing = await when_they_expire(services, shop.product_id, "asgi")
    order = await shop.reserve()
    # PostgreSQL rounds to milliseconds, and Python cuts to seconds.
    await shop.execute("UPDATE orders SET expires_at = date_trunc('second', expires_at)")

    said = await when_they_expire(services, shop.product_id, "lambda")

    assert nothing == f"No order of {shop.product_id} is held."
    end = (await services.orders.get(order.id)).expires_at.astimezone()
    grace = int(hold_grace())
    expected = [end + timedelta(seconds=seconds) for seconds in (0, grace, grace + 60)]
    assert re.findall(r"\d\d:\d\d:\d\d", said) == [f"{at:%H:%M:%S}" for at in expected]


async def test_holds_that_ended_long_ago_come_back_with_the_next_look(services, shop):
    await shop.reserve()
    await shop.time_passes()

    before = datetime.now().astimezone()
    said = await when_they_expire(services, shop.product_id, "asgi")

    latest = re.findall(r"\d\d:\d\d:\d\d", said)[-1]
    soon = [f"{before + timedelta(seconds=late):%H:%M:%S}" for late in range(4, 30)]
    assert latest in soon
    assert await shop.expire() == 1
