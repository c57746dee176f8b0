"""What buyers read of orders that are to be paid."""

from datetime import datetime, timedelta

import pytest

from flashsale.domain.model import Terms
from tests.helpers.in_process import buyer_of
from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
async def http(services):
    async with buyer_of(services) as client:
        yield client


async def state_of(http, order, path="/api/v5/orders"):
    answer = await http.get(f"{path}/{order.id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["/api/v5/orders", "/api/orders"])
async def test_a_reserved_order_says_how_much_and_until_when(shop, http, path):
    order = await shop.reserve(units=3)

    state = await state_of(http, order, path)

    until = state.pop("expiresAt")
    assert state == {
        "orderId": order.id, "status": "RESERVED", "reason": None,
        "amount": 22.5, "currency": "EUR",
    }  # fmt: skip
    written = (await shop.services.orders.get(order.id)).created_at
    assert until.endswith("Z")
    assert datetime.fromisoformat(until) - written == timedelta(seconds=600)


@pytest.mark.parametrize("ending", ["pay", "expire", "admin"])
async def test_it_still_says_so_when_the_hold_has_ended(shop, http, ending):
    order = await shop.reserve()
    reserved = await state_of(http, order)
    if ending == "pay":
        await shop.pay(order)
    elif ending == "expire":
        await shop.time_passes()
        reserved = await state_of(http, order)
        await shop.expire()
    else:
        await shop.cancel(order)

    state = await state_of(http, order)

    status, reason = {
        "pay": ("CONFIRMED", None),
        "expire": ("EXPIRED", "The order was not paid in time."),
        "admin": ("CANCELLED", "The order could not be completed."),
    }[ending]
    assert state == reserved | {"status": status, "reason": reason}


async def test_an_order_without_a_hold_reads_as_before(shop, http):
    pending = await shop.claim()
    assert await state_of(http, pending) == {
        "orderId": pending.id, "status": "PENDING", "reason": None,
    }  # fmt: skip
    await shop.hold(0)
    await shop.write(pending)

    answer = await http.get(f"/api/v5/orders/{pending.id}")

    assert answer.text == f'{{"orderId":"{pending.id}","status":"CONFIRMED","reason":null}}'


async def test_the_stock_shows_held_units(shop, http):
    paid, _ = await shop.reserve(USERS[0], 2), await shop.reserve(USERS[1], 3)
    await shop.claim(USERS[2])
    await shop.pay(paid)

    stock = (await http.get(f"/api/v5/products/{shop.product_id}/stock")).json()

    assert stock == {
        "stock": 4, "unsettled": 1, "held": 3, "settled": 2, "initial": 10, "state": "open",
    }  # fmt: skip


def test_a_hold_implies_v5():
    assert Terms(hold_seconds=60).generation == 5
    with pytest.raises(ValueError, match="Only V5 has payment holds"):
        Terms(hold_seconds=60, generation=4)
