"""Admin API: payment holds of a sale, and payments that are to be refunded."""

import asyncio
import uuid

import pytest

from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.usecases.rebuild import rebuild
from tests.helpers.admin_desk import dies
from tests.integration.held_shop import Shop, held_shop
from tests.integration.test_v5_api import is_problem


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


@pytest.fixture
async def unopened(services, new_product):
    return Shop(services, await new_product(10, on_sale=False))


async def hold_of(shop):
    return (await shop.services.products.get_supply(shop.product_id)).hold_seconds


async def test_a_sale_is_opened_with_a_hold(desk, unopened):
    opened = await desk.act(unopened.product_id, "open", {"holdSeconds": 600})
    again = await desk.act(unopened.product_id, "open", {"holdSeconds": 600})
    order = await unopened.reserve(units=2)

    assert (opened.status_code, again.status_code) == (200, 200)
    assert opened.json() == {
        "productId": unopened.product_id, "state": "open", "stock": 10, "unsettled": 0, "held": 0,
        "settled": 0, "initial": 10, "generation": 5,
    }  # fmt: skip
    assert (await unopened.status(order), await unopened.where()) == ("RESERVED", (8, 0, 2, 0))
    (action, _) = await desk.audit_of(unopened.product_id)
    assert action.arguments["holdSeconds"] == 600
    paused = await desk.act(unopened.product_id, "pause")
    assert (paused.json()["held"], paused.json()["stock"]) == (2, 8)


async def test_a_buyer_pays_in_the_currency_of_the_price(desk, services):
    body = {"id": f"c-{uuid.uuid4().hex[:10]}", "price": 7.5, "currency": "USD", "stock": 3}
    made = await desk.post("/products", body | {"name": body["id"]})
    await desk.act(body["id"], "open", {"holdSeconds": 60})

    order = await Shop(services, body["id"]).reserve(units=2)

    assert made.status_code == 201, made.text
    row = await services.orders.get(order.id)
    assert (row.amount, row.currency) == (15, "USD")


async def test_a_sale_without_a_hold_has_none(desk, shop):
    """The product had one when it was sold before."""
    await desk.act(shop.product_id, "end")

    opened = await desk.act(shop.product_id, "open")

    assert opened.status_code == 200
    assert (await hold_of(shop), opened.json()["generation"]) == (0, None)
    assert await shop.status(await shop.reserve()) == "CONFIRMED"


async def test_only_v5_has_holds(desk, unopened):
    answer = await desk.act(unopened.product_id, "open", {"holdSeconds": 600, "generation": 4})

    assert is_problem(answer, 422, "invalid")
    assert "Only V5 has payment holds" in answer.json()["detail"]
    assert await hold_of(unopened) == 0


@pytest.mark.parametrize(
    ("before", "code"), [(None, "sale_running"), ("pause", "sale_paused")]
)  # fmt: skip
async def test_a_sale_keeps_its_hold(desk, shop, before, code):
    if before:
        await desk.act(shop.product_id, before)

    for seconds in (0, 60):
        answer = await desk.act(shop.product_id, "open", {"holdSeconds": seconds})
        assert is_problem(answer, 409, code)
    assert await hold_of(shop) == 600


async def test_an_undrained_sale_keeps_its_hold(desk, shop):
    """Its claims are still to be written on the terms on which they were made."""
    order = await shop.claim()
    await desk.act(shop.product_id, "end")

    answer = await desk.act(shop.product_id, "open")

    assert is_problem(answer, 409, "needs_rebuild")
    assert await hold_of(shop) == 600
    await shop.write(order)
    assert await shop.status(order) == "RESERVED"


async def test_the_hold_is_there_before_the_sale(desk, unopened, monkeypatch):
    dies(monkeypatch, unopened.services.stock, "open_sale", StockUnavailable, after=False)
    body, key = {"holdSeconds": 600}, f"open-{unopened.product_id}"

    failed = await desk.act(unopened.product_id, "open", body, key)
    assert (failed.status_code, await hold_of(unopened)) == (503, 600)
    repeated = await desk.act(unopened.product_id, "open", body, key)

    assert (repeated.status_code, repeated.json()["state"]) == (200, "open")


async def test_a_rebuild_keeps_the_hold(desk, unopened):
    await desk.act(unopened.product_id, "open", {"holdSeconds": 600})
    await unopened.lose_redis()

    await rebuild(unopened.services, [unopened.product_id], lambda: 0, 60, grace=0)

    snapshot = await unopened.services.ledger.snapshot(unopened.product_id, count_claims=False)
    assert (await hold_of(unopened), snapshot.generation) == (600, 5)
    assert await unopened.status(await unopened.reserve()) == "RESERVED"


async def test_the_payment_of_a_cancelled_order_is_refunded(desk, shop):
    order = await shop.reserve(units=2)
    payment = (await shop.pay(order, "pi")).payment_id
    assert (await shop.services.payments.get(payment)).decision == "APPLIED"

    assert (await desk.cancel(order.id)).status_code == 200

    row = await shop.services.payments.get(payment)
    assert (row.decision, row.why) == ("REFUND_DUE", "cancelled")
    assert await shop.where() == (10, 0, 0, 0)


@pytest.fixture
async def due(shop):
    """Return the id of a payment that is to be refunded."""
    order = await shop.reserve(units=2)
    await shop.cancel(order)
    id_ = f"pi_{order.id}"
    await shop.execute(
        "INSERT INTO payments (id, order_id, amount, currency, decision, why, decided_at)"
        " VALUES (%s, %s, 15.00, 'EUR', 'REFUND_DUE', 'cancelled', now())",
        id_, order.id,
    )  # fmt: skip
    return id_


async def listed(desk, query=""):
    answer = await desk.get(f"/payments{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["payments"]


async def test_payments_are_listed(desk, shop, due):
    order = await shop.reserve()
    await shop.pay(order)

    both = await listed(desk, "?limit=2")
    (first,) = await listed(desk, "?limit=1")
    to_refund = await listed(desk, "?decision=REFUND_DUE&limit=500")

    assert [one["decision"] for one in both] == ["APPLIED", "REFUND_DUE"], "newest first"
    assert first == both[0]
    assert {one["decision"] for one in to_refund} == {"REFUND_DUE"}
    (mine,) = [one for one in to_refund if one["id"] == due]
    assert mine.pop("receivedAt") <= mine.pop("decidedAt")
    assert mine == {
        "id": due, "orderId": due.removeprefix("pi_"), "amount": 15.0, "currency": "EUR",
        "decision": "REFUND_DUE", "why": "cancelled",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["decision=due", "limit=0", "limit=501", "limit=x"])
async def test_a_list_that_cannot_be(desk, query):
    assert is_problem(await desk.get(f"/payments?{query}"), 422, "invalid")


async def test_a_refund_is_recorded_once(desk, due):
    answers = await asyncio.gather(*(desk.post(f"/payments/{due}/refunded") for _ in range(5)))
    keyed = [await desk.post(f"/payments/{due}/refunded", key=f"r-{due}") for _ in range(2)]

    assert {answer.status_code for answer in [*answers, *keyed]} == {200}
    assert len({answer.text for answer in [*answers, *keyed]}) == 1
    body = answers[0].json()
    assert (body["id"], body["decision"], body["why"]) == (due, "REFUNDED", "cancelled")
    actions = await desk.audit_of(due)
    assert {(one.who, one.action, one.outcome) for one in actions} == {("boss", "refunded", "done")}
    assert len(actions) == 6, "each request, but the two with one key are one"


async def test_only_a_payment_that_is_due_was_refunded(desk, shop):
    order = await shop.reserve()
    payment = f"pi_{order.id}"
    await shop.execute(
        "INSERT INTO payments (id, order_id, amount, currency, decision)"
        " VALUES (%s, %s, 7.50, 'EUR', 'WAITING')", payment, order.id,
    )  # fmt: skip

    assert is_problem(await desk.post("/payments/unknown/refunded"), 404, "no_such_payment")
    for decision in ("WAITING", "APPLIED"):
        answer = await desk.post(f"/payments/{payment}/refunded")
        assert is_problem(answer, 409, "not_refund_due")
        assert (await shop.services.payments.get(payment)).decision == decision
        await shop.expire()  # which decides on payments that wait
    assert [one.outcome for one in await desk.audit_of(payment)] == ["not_refund_due"] * 2


async def test_postgresql_dies_before_the_refund_is_recorded(desk, shop, due, monkeypatch):
    dies(monkeypatch, shop.services.payments, "mark_refunded", DatabaseUnavailable, after=True)

    failed = await desk.post(f"/payments/{due}/refunded", key=f"r-{due}")
    assert (await shop.services.payments.get(due)).decision == "REFUND_DUE"
    repeated = await desk.post(f"/payments/{due}/refunded", key=f"r-{due}")

    assert (failed.status_code, repeated.status_code) == (503, 200)
    assert [one.outcome for one in await desk.audit_of(due)] == ["done"]
