"""Two ends of one hold at the same instant: one is not committed yet when the other begins."""

import asyncio

import pytest

from flashsale.domain.payments import Decision, RefundReason
from flashsale.postgres_store.database import sql
from flashsale.usecases.cancellation import cancel_reserved
from tests.helpers.support import USERS, until
from tests.integration.held_shop import PRICE, held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


async def apply(shop, connection, order):
    payment = {"id": f"{order.id}/first", "order_id": order.id, "amount": PRICE, "currency": "EUR"}
    await connection.execute(sql("insert_payment"), payment)
    await connection.execute(sql("confirm_paid_order"), payment)
    decided = {"id": payment["id"], "decision": "APPLIED", "why": None}
    await connection.execute(sql("decide_payment"), decided)


async def expire(shop, connection, _):
    due = {
        "product_id": shop.product_id,
        "grace": 60,
        "patience": 0,
        "in_progress": [],
        "count": 10,
    }
    await connection.execute(sql("expire_orders"), due)


async def cancel(shop, connection, order):
    await shop.services.orders.cancel_even_if_confirmed(connection, order.id, None, "a wish")


async def begin_and_wait(shop, coroutine):
    """Begin another end of the hold, and return its task when it waits for a row lock."""
    task = asyncio.create_task(coroutine)

    async def waits():
        return await shop.execute(
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )

    await until(waits)
    return task


@pytest.mark.parametrize(
    ("first", "why", "status"),
    [
        (expire, RefundReason.LATE, "EXPIRED"),
        (cancel, RefundReason.CANCELLED, "CANCELLED"),
        (apply, RefundReason.PAID_TWICE, "CONFIRMED"),
    ],
)
async def test_a_payment_waits_for_another_end_of_its_hold(shop, first, why, status):
    order = await shop.reserve()
    await shop.time_passes()

    async with shop.services.database.transaction() as connection:
        await first(shop, connection, order)
        paying = await begin_and_wait(shop, shop.pay(order))
    decided = await paying
    await shop.time_passes()
    await shop.expire()

    assert (decided.decision, decided.why) == (Decision.REFUND_DUE, why)
    assert await shop.status(order) == status
    assert await shop.where() == ((9, 0, 0, 1) if first is apply else (10, 0, 0, 0))


async def test_a_cancellation_that_waits_for_a_payment_refunds_it(shop):
    order = await shop.reserve()

    async with shop.services.database.transaction() as connection:
        await apply(shop, connection, order)
        cancelling = await begin_and_wait(shop, shop.cancel(order))
    await cancelling

    assert (await shop.status(order), await shop.where()) == ("CANCELLED", (10, 0, 0, 0))
    assert await shop.payments() == {f"{order.id}/first": ("REFUND_DUE", "cancelled")}


async def test_a_buyers_cancel_that_waits_for_a_payment_changes_nothing(shop):
    order = await shop.reserve()

    async with shop.services.database.transaction() as connection:
        await apply(shop, connection, order)
        cancelling = cancel_reserved(shop.services, order.id, None)
        waiting = await begin_and_wait(shop, cancelling)
    row = await waiting

    assert (row.status, await shop.status(order)) == ("CONFIRMED", "CONFIRMED")
    assert await shop.payments() == {f"{order.id}/first": ("APPLIED", None)}


async def test_a_message_that_comes_twice_waits_for_the_first(shop):
    order = await shop.reserve()

    async with shop.services.database.transaction() as connection:
        await apply(shop, connection, order)
        paying = await begin_and_wait(shop, shop.pay(order, "first"))
    decided = await paying

    assert (decided.decision, decided.first) == (Decision.APPLIED, False)
    assert decided.order.id == order.id, "it settles the claim, as the first may have died"
    assert await shop.where() == (9, 0, 0, 1)


async def test_two_sweeps_expire_each_order_once(shop):
    await shop.reserve(units=2)
    await shop.time_passes()

    async with shop.services.database.transaction() as connection:
        await expire(shop, connection, None)
        assert await shop.expire() == 0
    await shop.time_passes()

    assert await shop.expire() == 2
    assert await shop.where() == (10, 0, 0, 0)


async def test_an_expiry_waits_for_no_payment(shop):
    paid, late = await shop.reserve(), await shop.reserve(USERS[1])
    await shop.time_passes()

    async with shop.services.database.transaction() as connection:
        await apply(shop, connection, paid)
        assert await shop.expire() == late.quantity
    await shop.expire()

    assert [await shop.status(one) for one in (paid, late)] == ["CONFIRMED", "EXPIRED"]
    assert await shop.payments() == {f"{paid.id}/first": ("APPLIED", None)}
    await shop.time_passes()
    await shop.expire()
    assert await shop.where() == (9, 0, 0, 1)
