"""Admin API: pause, resume and end a sale during store failures and claims."""

import asyncio

import pytest

from flashsale.domain.claims import Claimed
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from tests.helpers.admin_desk import books_of, claim, dies, stock_of
from tests.helpers.support import USERS


@pytest.mark.parametrize("action", ["open", "pause", "resume", "end"])
async def test_redis_dies(desk, without, services, new_product, action):
    product_id = await new_product(10, on_sale=action != "open")
    if action == "resume":
        await desk.act(product_id, "pause")
    desk.services = without("redis_url")

    failed = await desk.act(product_id, action, key=f"{action}-{product_id}")
    desk.services = services
    (begun, *_) = await desk.audit_of(product_id)
    repeated = await desk.act(product_id, action, key=f"{action}-{product_id}")

    assert (failed.status_code, failed.json()["code"]) == (503, "unavailable")
    assert (begun.outcome, begun.ended_at) == ("begun", None), "a failed attempt is in the audit"
    assert (repeated.status_code, repeated.json()["stock"]) == (200, 10)
    (ended, *_) = await desk.audit_of(product_id)
    assert (ended.id, ended.outcome) == (begun.id, "done")
    await books_of(services, product_id)


@pytest.mark.parametrize("method", ["pause_sale", "resume_sale"])
async def test_the_answer_of_redis_is_lost(desk, services, new_product, monkeypatch, method):
    product_id = await new_product(10)
    await claim(services, product_id)
    action = method.removesuffix("_sale")
    dies(monkeypatch, services.stock, method, StockUnavailable, after=True)

    failed = await desk.act(product_id, action)
    repeated = await desk.act(product_id, action)

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert await stock_of(services, product_id) == 9


@pytest.mark.parametrize("action", ["open", "pause", "end"])
async def test_postgresql_dies_before_the_action_is_recorded(
    desk, services, new_product, monkeypatch, action
):
    product_id = await new_product(10, on_sale=action != "open")
    dies(monkeypatch, services.audit, "end", DatabaseUnavailable, after=False)

    failed = await desk.act(product_id, action, key=f"{action}-{product_id}")
    repeated = await desk.act(product_id, action, key=f"{action}-{product_id}")

    # A pause goes on without PostgreSQL.
    expected = 202 if action == "pause" else 503
    assert (failed.status_code, repeated.status_code) == (expected, 200)
    assert repeated.json()["stock"] == 10
    assert [e.outcome for e in await desk.audit_of(product_id)] == ["done"]


async def test_pauses_during_claims_lose_no_unit(desk, services, new_product):
    product_id = await new_product(60)

    async def buyers():
        return [await claim(services, product_id, user) for user in USERS[:50]]

    async def switch():
        for _ in range(5):
            await desk.act(product_id, "pause")
            assert (await services.ledger.snapshot(product_id, count_claims=True)).balanced
            await desk.act(product_id, "resume")

    *answers, _ = await asyncio.gather(buyers(), buyers(), switch())

    won = sum(isinstance(a, Claimed) for of_buyers in answers for a in of_buyers)
    snapshot = await services.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled) == (60 - won, won)
    await books_of(services, product_id)


async def test_a_sale_is_known_even_if_opening_it_crashed(services, new_product, monkeypatch):
    """Otherwise neither the sweep nor an alarm would include it."""
    product_id = await new_product(3, on_sale=False)
    dies(monkeypatch, services.stock, "_open_sale", StockUnavailable, after=True)

    with pytest.raises(StockUnavailable):
        await services.stock.open_sale(product_id, 3)

    assert product_id in await services.stock.list_sales()
