"""Admin API: open, pause, resume and end a sale without losing or duplicating units."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.domain.model import Refusal
from flashsale.generations import v4
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from tests.helpers.admin_desk import books_of, claim, sell, stock_of
from tests.helpers.queued import queued
from tests.helpers.support import USERS

HOUR = timedelta(hours=1)


async def test_open_puts_the_stock_of_postgresql_on_sale(desk, services, new_product):
    product_id = await new_product(7, on_sale=False)

    answer = await desk.act(product_id, "open")

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "productId": product_id, "state": "open",
        "stock": 7, "unsettled": 0, "held": 0, "settled": 0, "initial": 7, "generation": None,
    }  # fmt: skip
    assert isinstance(await claim(services, product_id), Claimed)


async def test_terms_are_kept(desk, services, new_product):
    early, limited = await new_product(7, on_sale=False), await new_product(7, on_sale=False)
    soon = (datetime.now(UTC) + HOUR).isoformat()

    await desk.act(early, "open", {"startsAt": soon})
    await desk.act(limited, "open", {"limitPerBuyer": 2})

    assert await claim(services, early) is Refusal.SALE_NOT_OPEN
    assert await claim(services, limited, quantity=3) is Refusal.PURCHASE_LIMIT


async def test_opening_twice_opens_once(desk, services, new_product):
    product_id = await new_product(7, on_sale=False)
    await desk.act(product_id, "open")
    await claim(services, product_id)

    again = await desk.act(product_id, "open")
    otherwise = await desk.act(product_id, "open", {"limitPerBuyer": 1})

    assert (again.status_code, again.json()["stock"]) == (200, 6)
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "sale_running")
    await books_of(services, product_id)


async def test_a_paused_sale_continues_where_it_stopped(desk, services, new_product):
    product_id = await new_product(10)
    await claim(services, product_id, quantity=3)

    paused = await desk.act(product_id, "pause")
    refused = await claim(services, product_id)
    resumed = await desk.act(product_id, "resume")

    assert paused.json()["state"] == "paused"
    assert (paused.json()["stock"], paused.json()["unsettled"]) == (7, 3)
    assert refused is Refusal.SALE_NOT_OPEN
    assert (resumed.json()["state"], resumed.json()["stock"]) == ("open", 7)
    assert isinstance(await claim(services, product_id), Claimed)


@pytest.mark.parametrize("action", ["pause", "resume", "end"])
async def test_each_action_is_idempotent(desk, services, new_product, action):
    product_id = await new_product(10)
    await claim(services, product_id, quantity=3)

    first = await desk.act(product_id, action)
    second = await desk.act(product_id, action)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert await stock_of(services, product_id) == 7
    await books_of(services, product_id)


async def test_a_late_retry_with_a_used_key_changes_nothing(desk, new_product):
    product_id = await new_product(10)
    await desk.act(product_id, "pause", key=f"pause-{product_id}")
    await desk.act(product_id, "resume")

    late = await desk.act(product_id, "pause", key=f"pause-{product_id}")
    other = await desk.act(product_id, "end", key=f"pause-{product_id}")

    assert (late.status_code, late.json()["state"]) == (200, "open")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_ended_sale_stays_ended(desk, services, new_product):
    product_id = await new_product(10)
    await claim(services, product_id, quantity=3)
    await desk.act(product_id, "end")

    resumed, paused = await desk.act(product_id, "resume"), await desk.act(product_id, "pause")

    assert (resumed.status_code, resumed.json()["code"]) == (409, "sale_ended")
    assert (paused.status_code, paused.json()["code"]) == (409, "sale_ended")
    assert await claim(services, product_id) is Refusal.SALE_NOT_OPEN
    assert (await services.ledger.snapshot(product_id, count_claims=True)).state == "ended"


async def test_unsettled_claims_become_orders_while_paused(desk, services, new_product):
    product_id = await new_product(10)
    await claim(services, product_id, quantity=2)
    await claim(services, product_id, USERS[1], 3)
    orders = await services.ledger.take_unsent(product_id, 10)
    await desk.act(product_id, "pause")

    body = Envelope.of(orders[:1]).model_dump_json()
    await place_orders(services, [ReceivedMessage("m", body)])
    body = Envelope.of(orders[1:]).model_dump_json()
    await compensate(services, [ReceivedMessage("m", body)])

    books = await books_of(services, product_id)
    assert (books.confirmed, books.redis_stock) == (2, 8), "released units are kept"
    await desk.act(product_id, "resume")
    assert await stock_of(services, product_id) == 8


async def test_units_that_v4_releases_while_paused_are_kept(desk, services, new_product):
    product_id = await new_product(10)
    assert await services.stock.decrement(product_id, 1) == 9
    (message,) = queued(product_id, 1)
    await desk.act(product_id, "pause")
    order = QueuedOrder.model_validate_json(message.body).model_copy(update={"user_id": USERS[0]})
    assert await v4.buy(services, order) is Refusal.SALE_NOT_OPEN

    for _ in range(2):
        await compensate(services, [message])

    await desk.act(product_id, "resume")
    assert await stock_of(services, product_id) == 10


async def test_opening_a_paused_sale_is_refused(desk, services, new_product):
    """PostgreSQL does not know the claim yet, so its stock would sell the unit again."""
    product_id = await new_product(10)
    await claim(services, product_id)
    await desk.act(product_id, "pause")

    answer = await desk.act(product_id, "open")

    assert (answer.status_code, answer.json()["code"]) == (409, "sale_paused")
    assert await stock_of(services, product_id) == 9
    await books_of(services, product_id)


async def test_an_ended_sale_can_be_opened_again_only_when_drained(desk, services, new_product):
    product_id = await new_product(10)
    await sell(services, product_id, USERS[:2])
    await claim(services, product_id)
    await desk.act(product_id, "end")

    too_early = await desk.act(product_id, "open")
    (order,) = await services.ledger.take_unsent(product_id, 10)
    await services.orders.write_batch([order])
    still = await desk.act(product_id, "open")
    await services.ledger.settle(product_id, [order])
    opened = await desk.act(product_id, "open", {"limitPerBuyer": 1})

    assert (too_early.status_code, too_early.json()["code"]) == (409, "needs_rebuild")
    assert still.status_code == 409
    assert (opened.status_code, opened.json()["initial"]) == (200, 7)
    assert await claim(services, product_id) is Refusal.PURCHASE_LIMIT, (
        "this buyer has one from before"
    )
    await books_of(services, product_id)


async def test_an_ended_v4_sale_waits_for_its_queue(desk, services, new_product):
    product_id = await new_product(10)
    await services.stock.decrement(product_id, 1)
    (message,) = queued(product_id, 1)
    await desk.act(product_id, "end")

    too_early = await desk.act(product_id, "open")
    await place_orders(services, [message])
    opened = await desk.act(product_id, "open")

    assert too_early.status_code == 409
    assert (opened.status_code, opened.json()["stock"]) == (200, 9)


async def test_a_lost_sale_is_neither_opened_nor_resumed(desk, services, new_product):
    """Only a rebuild accounts for units on their way."""
    product_id = await new_product(10)
    await sell(services, product_id, USERS[:2])
    keys = Keys(product_id)
    await services.redis.delete(keys.stock)
    stockless = [(await desk.act(product_id, action)).status_code for action in ("open", "resume")]
    await services.redis.delete(keys.sale, keys.ledger)

    lost = await desk.act(product_id, "open")

    assert stockless == [409, 409]
    assert (lost.status_code, lost.json()["code"]) == (409, "needs_rebuild")


@pytest.mark.parametrize("action", ["pause", "resume", "end", "restock"])
async def test_a_product_that_is_not_on_sale(desk, services, new_product, action):
    product_id = f"none-{uuid.uuid4().hex[:8]}"
    body = {"units": 1} if action == "restock" else None

    answer = await desk.act(product_id, action, body, key=f"k-{product_id}")

    assert answer.status_code == (404 if action == "restock" else 409)
    assert not await services.redis.exists(Keys(product_id).sale), "no sale is created"
    (entry,) = await desk.audit_of(product_id)
    assert entry.outcome == answer.json()["code"]
    again = await desk.act(product_id, action, body, key=f"k-{product_id}")
    assert again.json() == answer.json()
