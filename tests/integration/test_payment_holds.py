"""Payment holds on real stores: what each payment becomes, and where the units are meanwhile."""

import asyncio
from decimal import Decimal

import pytest

from flashsale.domain.model import OrderStatus, Terms
from flashsale.domain.payments import Decision, Payment, RefundReason
from flashsale.errors import OrderRejected
from flashsale.usecases.compensate import compensate
from flashsale.usecases.sales import open_sale
from tests.integration.held_shop import PRICE, held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


async def test_an_order_is_reserved_paid_and_confirmed(shop):
    order = await shop.claim(units=2)
    assert await shop.where() == (8, 2, 0, 0)

    outcome = await shop.write(order)
    assert [one.id for one in outcome.reserved] == [order.id]
    assert (await shop.status(order), await shop.where()) == ("RESERVED", (8, 0, 2, 0))

    decided = await shop.pay(order)
    assert decided.decision is Decision.APPLIED
    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (8, 0, 0, 2))


async def test_without_a_hold_an_order_is_confirmed_at_once(shop):
    await shop.hold(0)

    order = await shop.reserve()

    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (9, 0, 0, 1))


async def test_a_hold_that_is_not_paid_expires_once(shop):
    order = await shop.reserve(units=3)
    assert await shop.expire() == 0, "it has not ended yet"

    await shop.time_passes()
    assert await asyncio.gather(shop.expire(), shop.expire()) in ([3, 0], [0, 3])

    assert (await shop.status(order), await shop.where()) == ("EXPIRED", (10, 0, 0, 0))
    await shop.write(order)  # its message comes again
    assert await shop.where() == (10, 0, 0, 0)


async def test_a_payment_comes_twice_and_confirms_once(shop):
    order = await shop.reserve()

    first, second = await asyncio.gather(shop.pay(order), shop.pay(order))

    assert {first.decision, second.decision} == {Decision.APPLIED}
    assert {first.first, second.first} == {True, False}
    assert first.order == second.order
    assert await shop.where() == (9, 0, 0, 1)


@pytest.mark.parametrize(
    ("before", "payment", "why", "status"),
    [
        (["expire"], {}, RefundReason.LATE, "EXPIRED"),
        (["cancel"], {}, RefundReason.CANCELLED, "CANCELLED"),
        (["pay"], {"name": "pay-2"}, RefundReason.PAID_TWICE, "CONFIRMED"),
        ([], {"amount": Decimal("7.49")}, RefundReason.WRONG_AMOUNT, "RESERVED"),
        ([], {"currency": "USD"}, RefundReason.WRONG_AMOUNT, "RESERVED"),
    ],
    ids=["late", "cancelled", "twice", "too little", "another currency"],
)
async def test_money_that_buys_nothing_is_to_be_refunded(shop, before, payment, why, status):
    order = await shop.reserve()
    await shop.time_passes()
    for name in before:
        await getattr(shop, name)(*([] if name == "expire" else [order]))
    stood = await shop.where()

    decided = await shop.pay(order, **payment)

    assert (decided.decision, decided.why) == (Decision.REFUND_DUE, why)
    assert (await shop.status(order), await shop.where()) == (status, stood)
    again = await shop.pay(order, **payment)
    assert (again.decision, again.why, again.first) == (Decision.REFUND_DUE, why, False)


async def test_a_payment_that_comes_before_its_order_waits(shop):
    order = await shop.claim()

    assert (await shop.pay(order)).decision is Decision.WAITING
    await shop.write(order)
    assert await shop.status(order) == "RESERVED"
    await shop.time_passes()
    await shop.expire()  # decides on payments first

    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (9, 0, 0, 1))


async def test_a_payment_without_an_order_is_refunded_in_the_end(shop):
    order = await shop.claim()
    await shop.pay(order)

    assert not await shop.services.payments.decide_waiting()
    decided = await shop.services.payments.decide_waiting(patience=0)

    (mine,) = [one for one in decided if one.payment_id.startswith(order.id)]
    assert (mine.decision, mine.why) == (Decision.REFUND_DUE, RefundReason.NO_ORDER)


async def test_cancelling_a_paid_order_makes_a_refund_due(shop):
    order = await shop.reserve(units=2)
    await shop.pay(order)

    assert await shop.cancel(order) is OrderStatus.CANCELLED

    assert await shop.where() == (10, 0, 0, 0)
    again = await shop.pay(order)
    assert (again.decision, again.why) == (Decision.REFUND_DUE, RefundReason.CANCELLED)


async def test_cancelling_a_reserved_order_gives_its_units_back_once(shop):
    order = await shop.reserve(units=2)

    await shop.cancel(order)
    await shop.cancel(order)

    assert await shop.where() == (10, 0, 0, 0)


async def test_the_rollback_function_holds_what_is_reserved(shop):
    order = await shop.claim()
    await shop.services.orders.write_batch([order])  # and the order function dies

    outcome = await shop.write(order, compensate)

    assert ([one.id for one in outcome.reserved], outcome.released) == ([order.id], 0)
    assert await shop.where() == (9, 0, 1, 0)


@pytest.mark.parametrize("ending", ["pay", "expire", "cancel"])
async def test_what_ended_before_redis_heard_of_it_is_found_later(shop, ending):
    order = await shop.reserve(units=2)
    settle = {"pay": (8, 0, 0, 2), "expire": (10, 0, 0, 0), "cancel": (10, 0, 0, 0)}[ending]
    await shop.time_passes()
    if ending == "pay":
        await shop.services.payments.apply(Payment(order.id, order.id, PRICE * 2, "EUR"))
    elif ending == "expire":
        await shop.services.holds.expire(shop.product_id, 60, 0)
    else:
        async with shop.services.database.transaction() as connection:
            await shop.services.orders.cancel_even_if_confirmed(connection, order.id, None, "")

    await shop.expire()

    assert await shop.where() == settle


async def test_an_order_may_be_paid_before_redis_holds_it(shop):
    order = await shop.claim()
    await shop.services.orders.write_batch([order])  # and the order function dies

    await shop.pay(order)
    await shop.write(order)

    assert await shop.where() == (9, 0, 0, 1)


@pytest.mark.parametrize("ending", ["pay", "expire", "cancel"])
async def test_holds_outlive_their_sale(shop, ending):
    order = await shop.reserve(units=2)
    stock = shop.services.stock
    await shop.services.stock.pause_sale(shop.product_id, "ended")
    assert await open_sale(shop.services, shop.product_id, Terms()) is None
    assert await shop.where() == (8, 0, 2, 0)

    await shop.time_passes()
    await (shop.expire() if ending == "expire" else getattr(shop, ending)(order))

    assert await stock.left([shop.product_id]) == [8 if ending == "pay" else 10]
    # A sale does not count what was sold before it.
    stood = (8, 0, 0, 0) if ending == "pay" else (10, 0, 0, 0)
    assert await shop.where() == stood
    if ending == "pay":
        await shop.cancel(order)
        assert await shop.where() == (10, 0, 0, 0)


async def test_a_status_that_has_ended_never_changes(shop):
    order = await shop.reserve()
    await shop.time_passes()
    await shop.expire()

    for status in ("CONFIRMED", "RESERVED", "CANCELLED"):
        with pytest.raises(OrderRejected, match=f"cannot become {status} from EXPIRED"):
            await shop.execute("UPDATE orders SET status = %s WHERE id = %s", status, order.id)


async def test_a_payment_that_waits_keeps_its_hold(shop):
    order = await shop.claim()
    await shop.pay(order)
    await shop.write(order)
    await shop.time_passes()

    assert not await shop.services.holds.expire(shop.product_id, 60, 0)
