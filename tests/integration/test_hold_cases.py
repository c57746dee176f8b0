"""The cases of payment holds that meet other rules of a sale: limits, keys, pauses, restocks."""

from decimal import Decimal

import pytest

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Refusal, Terms
from flashsale.domain.payments import Decision, RefundReason
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.compensate import compensate
from flashsale.usecases.sales import restock_sale
from tests.helpers.support import USERS
from tests.integration.held_shop import PRICE, STOCK, Shop, held_shop
from tests.integration.v5_claims import buy

HOUR = 3_600_000  # ms


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
async def limited(services, new_product):
    """A shop in which each buyer may have two units."""
    shop = Shop(services, await new_product(STOCK, on_sale=False))
    await shop.hold(600)
    await services.stock.open_sale(shop.product_id, STOCK, Terms(limit_per_buyer=2))
    return shop


async def end(shop, order, ending):
    await shop.time_passes()
    await (shop.expire() if ending == "expire" else getattr(shop, ending)(order))


@pytest.mark.parametrize("ending", ["pay", "expire", "cancel"])
async def test_a_hold_counts_for_the_limit_until_its_units_return(limited, ending):
    ledger, product_id = limited.services.ledger, limited.product_id
    order = await limited.reserve(units=2)
    assert await buy(ledger, product_id) is Refusal.PURCHASE_LIMIT

    await end(limited, order, ending)

    answer = await buy(ledger, product_id)
    assert (answer is Refusal.PURCHASE_LIMIT) == (ending == "pay")


async def test_a_key_keeps_its_order_after_the_hold_has_expired(shop):
    ledger = shop.services.ledger
    key = f"key of {shop.product_id}"
    first = await buy(ledger, shop.product_id, key=key)
    await shop.write(await ledger.get(*first.order_id.rsplit(":", 1)))
    await shop.time_passes()
    await shop.expire()

    again = await buy(ledger, shop.product_id, key=key)
    another = await buy(ledger, shop.product_id, key=f"another {key}")

    assert again.order_id == first.order_id
    assert another.order_id != first.order_id
    assert await shop.where() == (9, 1, 0, 0)


@pytest.mark.parametrize("state", [SaleState.PAUSED, SaleState.ENDED])
@pytest.mark.parametrize("ending", ["pay", "expire", "cancel"])
async def test_a_hold_ends_as_always_while_its_sale_stands(shop, state, ending):
    order = await shop.reserve(units=2)
    await shop.services.stock.pause_sale(shop.product_id, state)

    await end(shop, order, ending)

    status = {"pay": "CONFIRMED", "expire": "EXPIRED", "cancel": "CANCELLED"}[ending]
    assert await shop.status(order) == status
    assert await shop.where() == ((8, 0, 0, 2) if ending == "pay" else (10, 0, 0, 0))
    kept = await shop.services.redis.hget(Keys(shop.product_id).sale, "kept")
    assert kept == ("8" if ending == "pay" else "10")


async def test_a_restock_and_a_new_price_change_no_hold(shop):
    order = await shop.reserve(units=2)
    await shop.execute(
        "UPDATE products SET price = 99, stock = stock + 5, initial_stock = initial_stock + 5"
        " WHERE id = %s", shop.product_id,
    )  # fmt: skip
    await restock_sale(shop.services, shop.product_id)
    assert await shop.where() == (13, 0, 2, 0)

    new_price = await shop.pay(order, "pay-0", amount=Decimal(198))
    paid = await shop.pay(order, amount=PRICE * 2)

    assert (new_price.decision, new_price.why) == (Decision.REFUND_DUE, RefundReason.WRONG_AMOUNT)
    assert paid.decision is Decision.APPLIED
    assert await shop.where() == (13, 0, 0, 2)


async def test_a_new_hold_time_is_for_orders_from_then_on(shop):
    held = await shop.reserve()
    await shop.hold(0)
    sold = await shop.reserve(USERS[1])
    await shop.hold(1200)
    longer = await shop.reserve(USERS[2])

    rows = await shop.execute(
        "SELECT id, extract(epoch FROM expires_at - created_at) AS seconds FROM orders"
        " WHERE product_id = %s", shop.product_id,
    )  # fmt: skip
    seconds = {row["id"]: row["seconds"] for row in rows}
    assert [seconds[one.id] for one in (held, sold, longer)] == [600, None, 1200]


async def test_an_order_that_is_written_late_has_its_full_time(shop):
    """PostgreSQL was down for an hour after the claim."""
    claim = await shop.claim()
    ms, n = claim.entry_id.split("-")
    order = claim.model_copy(update={"id": f"{shop.product_id}:{int(ms) - HOUR}-{n}"})

    await shop.write(order)

    (row,) = await shop.execute(
        "SELECT expires_at > now() + interval '590 seconds' AS full_time FROM orders WHERE id = %s",
        order.id,
    )
    assert row["full_time"]


async def test_a_call_of_the_hold_script_that_comes_an_hour_late_changes_nothing(shop):
    order = await shop.reserve(units=2)
    paid = await shop.reserve(USERS[1])
    await shop.pay(paid)
    await shop.time_passes()
    await shop.expire()
    stood = await shop.where()

    assert await shop.services.held_claims.hold(shop.product_id, [(order, 0), (paid, 0)]) == 0

    assert await shop.where() == stood == (9, 0, 0, 1)


async def test_a_hold_stays_while_postgresql_has_not_ended_it(shop):
    """Redis asks too early, for example because its clock is ahead."""
    order = await shop.reserve(units=2)
    await shop.ask_now()

    assert await shop.expire() == 0

    assert (await shop.status(order), await shop.where()) == ("RESERVED", (8, 0, 2, 0))
    assert not await shop.services.held_claims.list_due(shop.product_id, 10), "it is asked later"


async def test_a_hold_without_a_row_waits_for_the_operator(shop):
    """PostgreSQL was restored from a backup."""
    order = await shop.reserve(units=2)
    await shop.time_passes()
    await shop.execute("DELETE FROM orders WHERE id = %s", order.id)

    assert await shop.expire() == 0

    snapshot = await shop.services.ledger.snapshot(shop.product_id, count_claims=True)
    assert (snapshot.stock, snapshot.held) == (8, 2)


async def test_a_sale_without_holds_touches_neither_holds_nor_payments(shop):
    """The key is of another type, and the table is locked: both would fail what touches them."""
    holds, redis = Keys(shop.product_id).holds, shop.services.redis
    await shop.hold(0)
    await redis.set(holds, "no sorted set")

    async with shop.services.database.transaction() as connection:
        await connection.execute("LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
        try:
            sold = [await shop.reserve(user) for user in USERS[:3]]
        finally:  # sweeps of other tests read the holds of all products
            await redis.delete(holds)
        # The script that releases a claim looks among the holds first.
        await shop.write(await shop.claim("stranger"), compensate)

    assert [await shop.status(one) for one in sold] == 3 * ["CONFIRMED"]
    assert await shop.where() == (7, 0, 0, 3)
