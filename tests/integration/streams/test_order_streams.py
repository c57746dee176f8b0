"""The stream of an order: its states until the last one, for its owner only."""

import pytest

from tests.helpers.support import USERS
from tests.integration.held_shop import held_shop

BUYER, OTHER = USERS[:2]


def status(wanted):
    return lambda data: data["status"] == wanted


async def test_an_order_is_followed_until_it_is_paid(edge, shop):
    order = await shop.claim()
    reader = await edge.order(order.id)
    path = f"/api/v5/orders/{order.id}"
    pending = await reader.event("order")
    assert pending is reader.events[0]
    assert pending.data == await edge.get(path)

    await shop.write(order)
    reserved = await reader.event("order", status("RESERVED"))
    assert reserved.data == await edge.get(path)
    await shop.pay(order)
    await reader.wait(lambda: reader.closed)

    said = [one.data["status"] for one in reader.events if one.name == "order"]
    assert said == ["PENDING", "RESERVED", "CONFIRMED"]
    assert (reader.events[-1].name, reader.events[-1].data) == ("end", {"reason": "final"})
    assert reader.retry == 0, "nobody should come back to a final order"


async def test_an_order_and_its_sale_share_a_stream(edge, shop):
    order = await shop.claim()
    reader = await edge.order(order.id)
    first = await reader.event("sale")

    await shop.write(order)

    assert first.data["stock"]["unsettled"] == 1
    assert await reader.event("sale", lambda data: data["stock"]["held"] == 1)


@pytest.mark.parametrize("end", ["EXPIRED", "CANCELLED"])
async def test_each_last_state_ends_the_stream(edge, shop, end):
    order = await shop.reserve()
    reader = await edge.order(order.id)
    await reader.event("order", status("RESERVED"))

    if end == "EXPIRED":
        await shop.time_passes()
        await shop.expire()
    else:
        await shop.cancel(order)

    last = await reader.event("order", status(end))
    assert last.data["reason"]
    await reader.wait(lambda: reader.closed)
    assert reader.events[-1].data == {"reason": "final"}


async def test_a_final_order_is_told_and_ends_at_once(edge, shop):
    order = await shop.reserve()
    await shop.pay(order)

    reader = await edge.order(order.id)
    await reader.wait(lambda: reader.closed)

    assert [one.name for one in reader.events] == ["order", "end"]
    assert reader.events[0].data["status"] == "CONFIRMED"


async def test_the_order_of_another_buyer_is_unknown(guarded, bearer, shop):
    order = await shop.reserve(BUYER)

    own = await guarded.order(order.id, **bearer(BUYER))
    others = await guarded.order(order.id, **bearer(OTHER))
    unknown = await guarded.order(f"{shop.product_id}:1-0", **bearer(OTHER))
    without = await guarded.order(order.id)

    assert (await own.event("order")).data["status"] == "RESERVED"
    assert [one.status for one in (own, others, unknown, without)] == [200, 404, 404, 401]
    assert others.body == unknown.body


async def test_a_stream_ends_when_its_token_does(guarded, bearer, shop):
    order = await shop.reserve(BUYER)

    reader = await guarded.order(order.id, **bearer(BUYER, minutes=1 / 20))
    await reader.wait(lambda: reader.closed)

    assert reader.events[0].name == "order"
    assert reader.events[-1].data == {"reason": "token"}
    assert reader.retry == 0, "the client needs another token first"


async def test_the_newest_stream_of_a_user_wins(guarded, bearer, shop):
    order = await shop.reserve(BUYER)
    older = await guarded.order(order.id, **bearer(BUYER))
    await older.event("order")

    newer = await guarded.order(order.id, **bearer(BUYER))
    await older.wait(lambda: older.closed)
    await shop.pay(order)

    assert older.events[-1].data == {"reason": "newer"}
    assert older.retry == 0, "two clients would end one another for ever"
    assert await newer.event("order", status("CONFIRMED"))


async def test_two_orders_of_a_user_have_a_stream_each(
    guarded, bearer, shop, services, new_product
):
    orders = [await shop.reserve(BUYER), await shop.reserve(BUYER)]
    orders.append(await (await held_shop(services, new_product)).reserve(BUYER))

    readers = [await guarded.order(order.id, **bearer(BUYER)) for order in orders]
    await shop.pay(orders[0])
    await readers[0].wait(lambda: readers[0].closed)

    for reader in readers[1:]:
        assert (await reader.event("order")).data["status"] == "RESERVED"
        assert not reader.closed
