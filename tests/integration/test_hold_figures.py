"""What the exporter and the sweep function report of payment holds."""

import asyncio
import json

import pytest

from flashsale.redis_store.scripts import Keys
from flashsale.usecases import hold_figures
from flashsale.usecases.hold_figures import read_hold_figures
from flashsale_server.exporter.exporter import Exporter
from flashsale_server.exporter.sale import Sale
from tests.helpers.support import USERS, by_labels
from tests.helpers.unread_messages import Messages
from tests.integration.held_shop import held_shop
from tests.integration.sweep_function import run_all_but_the_sweep

GONE = "1700000000000-{}"


@pytest.fixture
async def shop(services, new_product):
    shop = await held_shop(services, new_product)
    # The tables may have open payments and holds of other tests.
    await shop.execute("UPDATE payments SET decision = 'REFUNDED' WHERE decision <> 'APPLIED'")
    await shop.execute(
        "UPDATE orders SET expires_at = now() + interval '1 day' WHERE status = 'RESERVED'"
    )
    return shop


@pytest.fixture
def figures(shop):
    return lambda: read_hold_figures(shop.services, [shop.product_id])


@pytest.fixture
def scrape(shop):
    """Returns the values of a scrape by name and labels, of the product or of everything."""

    async def run(product_id=None):
        sale = Sale(shop.services, Messages(0))
        sources = {"claims": sale.read_claims, "books": sale.read_books}
        return by_labels(await Exporter(sources, asyncio.get_running_loop()).scrape(), product_id)

    return run


async def lose_order(shop, number=0, due=0):
    """Hold a unit in Redis whose order PostgreSQL does not have, as after a restored backup."""
    holds = Keys(shop.product_id).holds
    await shop.services.redis.zadd(holds, {f"{GONE.format(number)} 1": due})


async def age(shop, column, seconds):
    await shop.execute(
        f"UPDATE payments SET {column} = now() - %s * interval '1 second' WHERE order_id LIKE %s",
        seconds, f"{shop.product_id}:%",
    )  # fmt: skip


async def test_nothing_is_due_while_buyers_may_still_pay(shop, figures):
    await shop.reserve()

    assert await figures() == hold_figures.HoldFigures(0.0, [], 0)


async def test_a_hold_is_overdue_from_the_end_of_its_grace_on(shop, figures):
    await shop.reserve()
    for seconds, overdue in ((30, 0), (60 + 400, 400)):
        await shop.execute(
            "UPDATE orders SET expires_at = now() - %s * interval '1 second'"
            " WHERE product_id = %s", seconds, shop.product_id,
        )  # fmt: skip
        now_overdue = (await figures()).overdue
        assert overdue <= now_overdue < overdue + 30

    await shop.expire()

    assert (await figures()).overdue == 0


async def test_open_payments_are_counted_by_what_they_wait_for(shop, figures):
    paid, again, waits = [await shop.claim(user) for user in USERS[:3]]
    await shop.write(paid)
    await shop.write(again)
    for order in (paid, again):
        await shop.pay(order)
        await shop.pay(order, "pay-2")
    await shop.pay(waits)
    await shop.cancel(again)

    rows = {(row.decision, row.why): row.count for row in (await figures()).payments}

    assert rows == {
        ("WAITING", ""): 1, ("REFUND_DUE", "paid twice"): 2, ("REFUND_DUE", "cancelled"): 1
    }  # fmt: skip


async def test_a_refund_is_due_since_it_was_decided(shop, figures):
    order = await shop.reserve()
    await shop.pay(order)
    await age(shop, "received_at", 7000)
    assert (await figures()).refund_due == 0

    await shop.cancel(order)
    assert 0 <= (await figures()).refund_due < 3600
    await age(shop, "decided_at", 5000)

    assert 5000 <= (await figures()).refund_due < 7000


async def test_a_payment_that_waits_is_no_refund(shop, figures):
    await shop.pay(await shop.claim())
    await age(shop, "received_at", 5000)

    found = await figures()

    assert found.refund_due == 0
    assert [row.oldest > 4999 for row in found.payments] == [True]


async def test_holds_without_an_order_are_counted_after_each_sweep(shop, figures, caplog):
    await shop.reserve()
    await shop.time_passes()
    await lose_order(shop, 1)
    await lose_order(shop, 2)

    for _ in range(2):
        assert (await figures()).without_order == 2
        await shop.expire()  # which asks again a minute later

    assert f"2 holds of {shop.product_id} have no order" in caplog.text
    assert f"{shop.product_id}:{GONE.format(1)}" in caplog.text


async def test_a_hold_that_has_not_ended_is_not_asked_about(shop, figures):
    seconds, _ = await shop.services.redis.time()
    await lose_order(shop, due=(seconds + 600) * 1000)

    assert (await figures()).without_order == 0


async def test_no_more_holds_are_asked_about_than_allowed(shop, figures, monkeypatch):
    monkeypatch.setattr(hold_figures, "AT_MOST", 3)
    for number in range(5):
        await lose_order(shop, number)

    assert (await figures()).without_order == 3


async def test_the_exporter_shows_holds_and_payments(shop, scrape):
    order, late = await shop.reserve(units=2), await shop.reserve(USERS[1])
    await shop.pay(order)
    await shop.pay(order, "pay-2")
    await shop.reserve(USERS[2], 3)
    await shop.execute(
        "UPDATE orders SET expires_at = now() - interval '1000 s' WHERE id = %s", late.id
    )
    await shop.execute("UPDATE payments SET decided_at = now() - interval '500 s' WHERE why > ''")
    await lose_order(shop)

    seen, of_product = await scrape(), await scrape(shop.product_id)

    assert of_product["held_units", shop.product_id] == 4
    assert of_product["reserved_units", shop.product_id] == 4
    assert of_product["settled_units", shop.product_id] == 2
    assert of_product["expired_units_total", shop.product_id] == 0
    assert of_product["lost_units", shop.product_id] == 0
    assert 940 <= seen["holds_overdue_seconds",] < 1000
    assert 500 <= seen["refund_due_oldest_seconds",] < 600
    assert seen["holds_without_order",] >= 1
    assert seen["payments", "REFUND_DUE", "paid twice"] == 1
    assert seen["payments", "REFUND_DUE", "late"] == seen["payments", "WAITING", ""] == 0


async def test_the_exporter_shows_expired_units(shop, scrape):
    await shop.reserve(units=3)
    await shop.time_passes()
    await shop.expire()

    seen = await scrape(shop.product_id)

    assert seen["expired_units_total", shop.product_id] == 3
    assert seen["held_units", shop.product_id] == seen["reserved_units", shop.product_id] == 0


async def test_the_sweep_function_measures_them_after_it_expired_holds(
    shop, migrated, monkeypatch, capsys
):
    late, paid = await shop.reserve(), await shop.reserve(USERS[1])
    for name in ("pay-1", "pay-2"):
        await shop.pay(paid, name)
    await age(shop, "decided_at", 4000)
    await shop.time_passes()
    await lose_order(shop)

    # Without an emulator, SQS does not answer. Its figures are missing, and no others.
    await run_all_but_the_sweep(migrated, monkeypatch)

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    measured = {name: value for line in printed for name, value in line.items()}
    assert await shop.status(late) == "EXPIRED"
    assert measured["SqsUp"] == [0]
    assert measured["HoldOverdueSeconds"] == [0]
    assert 4000 <= measured["RefundDueOldestSeconds"][0] < 4100
    assert measured["HoldsWithoutOrder"][0] >= 1
