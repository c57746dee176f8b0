"""Who ends payment holds, and what a loss of Redis does to them."""

import asyncio

import pytest

from flashsale.domain.payments import Payment
from flashsale.redis_store.stock import EXPIRER
from flashsale.usecases.holds import expire_holds
from flashsale.usecases.rebuild import rebuild
from flashsale_server.edge import background
from flashsale_server.edge.background import cancel, expire_forever
from tests.helpers.support import USERS, until
from tests.integration.held_shop import PRICE, held_shop
from tests.integration.sweep_function import run_all_but_the_sweep


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


async def test_the_sweep_function_ends_holds(shop, migrated, monkeypatch):
    order = await shop.reserve(units=2)
    await shop.time_passes()
    await run_all_but_the_sweep(migrated, monkeypatch)

    assert (await shop.status(order), await shop.where()) == ("EXPIRED", (10, 0, 0, 0))


async def test_a_web_worker_ends_holds(shop, monkeypatch):
    order = await shop.reserve()
    await shop.time_passes()
    monkeypatch.setattr(background, "EXPIRE_EVERY", 0.1)
    await shop.services.redis.delete(EXPIRER)
    tasks = [asyncio.create_task(expire_forever(shop.services)) for _ in range(3)]

    async def ended():
        return (await shop.units()).stock == 10

    try:
        await until(ended)
    finally:
        for task in tasks:
            await cancel(task)
    assert (await shop.status(order), await shop.where()) == ("EXPIRED", (10, 0, 0, 0))


async def test_a_locked_product_stops_no_other(services, new_product, caplog):
    shops = [await held_shop(services, new_product) for _ in range(3)]
    locked, *_ = shops = sorted(shops, key=lambda shop: shop.product_id)
    orders = [await shop.reserve() for shop in shops]
    unsettled = await shops[1].reserve(USERS[1])
    await services.payments.apply(
        Payment(f"{unsettled.id}/pay", unsettled.id, PRICE, "EUR")
    )  # its process died before it told Redis
    ids = [shop.product_id for shop in shops]
    for shop in shops:
        await shop.time_passes()

    async with services.database.transaction() as connection:
        keep = "SELECT FROM products WHERE id = %s FOR UPDATE"
        await connection.execute(keep, [locked.product_id])
        assert await expire_holds(services, ids) == 2

        ended = [await shop.status(order) for shop, order in zip(shops, orders, strict=True)]
        assert ended == ["RESERVED", "EXPIRED", "EXPIRED"]
        assert await shops[1].where() == (9, 0, 0, 1)
        assert f"holds of {locked.product_id} stay until the next sweep" in caplog.text
    assert await expire_holds(services, ids) == 1
    assert await locked.where() == (10, 0, 0, 0)


async def test_a_lost_sale_returns_with_its_holds(shop):
    paid, held, late, cancelled = [await shop.reserve(user, 2) for user in USERS[:4]]
    await shop.pay(paid)
    await shop.lose_redis()

    opened = await rebuild(shop.services, [shop.product_id], lambda: 0, 60, grace=0)

    assert opened == {shop.product_id: 2}
    assert await shop.where() == (2, 0, 6, 0)
    assert (await shop.pay(held)).order
    assert await shop.where() == (2, 0, 4, 0)
    await shop.cancel(cancelled)
    assert await shop.where() == (4, 0, 2, 0)
    await shop.time_passes()
    await shop.expire()
    assert (await shop.status(late), await shop.where()) == ("EXPIRED", (6, 0, 0, 0))


@pytest.mark.parametrize("ending", ["pay", "expire", "cancel"])
async def test_a_hold_that_ends_during_a_rebuild(shop, ending, monkeypatch):
    order = await shop.reserve(units=2)
    await shop.time_passes()
    opening, services = shop.services.stock.open_sale, shop.services

    async def end_first(*arguments, **named):
        monkeypatch.setattr(services.stock, "open_sale", opening)
        await (shop.expire() if ending == "expire" else getattr(shop, ending)(order))
        return await opening(*arguments, **named)

    monkeypatch.setattr(services.stock, "open_sale", end_first)

    await rebuild(services, [shop.product_id], lambda: 0, 60, grace=0)
    await shop.time_passes()
    await shop.expire()

    stock = 8 if ending == "pay" else 10
    assert await shop.where() == (stock, 0, 0, 0)
