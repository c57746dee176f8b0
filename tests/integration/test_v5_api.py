"""V5 over HTTP, in process, on real stores: answers, headers, problem details."""

import os
import signal
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NO_UNITS_LEFT, Terms
from flashsale.http.application import create_app
from flashsale.http.observe import Observe
from tests.helpers.in_process import buyer_of, client_of
from tests.helpers.support import USERS, eventually, sync_each_write


class Nowhere:
    """A queue that accepts and drops all messages. Other tests check what the relay sends."""

    async def send(self, envelopes):
        pass


@pytest.fixture
async def http(services):
    services.order_queue = Nowhere()
    async with buyer_of(services) as client:
        yield client


def buy(http, product_id, key=None, **fields):
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"productId": product_id, "userId": USERS[0], **fields}
    return http.post("/api/v5/buy", json=body, headers=headers)


def is_problem(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "code", "detail"}
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
    return True


async def test_a_claim_is_202_with_a_location(http, new_product):
    product_id = await new_product(10)

    answer = await buy(http, product_id, quantity=3)

    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["remaining"]) == ("PENDING", 7)
    assert answer.headers["location"] == f"orders/{body['orderId']}"
    assert int(answer.headers["retry-after"]) > 0
    state = await http.get(answer.url.join(answer.headers["location"]))
    assert state.json() == {"orderId": body["orderId"], "status": "PENDING", "reason": None}
    stock = await http.get(f"/api/v5/products/{product_id}/stock")
    assert stock.json() == {
        "stock": 7, "unsettled": 3, "held": 0, "settled": 0, "initial": 10, "state": "open",
    }  # fmt: skip


@pytest.mark.parametrize("prefix", ["/shop", "/_aws/execute-api/flashsale", "/api/v5"])
@pytest.mark.parametrize("query", ["", "?utm_source=a/b:c"])
async def test_the_location_keeps_the_prefix_of_the_request(services, new_product, prefix, query):
    product_id = await new_product(1)
    async with client_of(create_app(lambda: services), root_path=prefix) as client:
        path = f"{prefix}/api/v5/buy{query}"
        answer = await client.post(path, json={"productId": product_id, "userId": USERS[0]})
        place = answer.headers["location"]
        order = await client.get(answer.url.join(place))
        unknown = await client.get(f"{prefix}/api/v5/orders/unknown")

    order_id = answer.json()["orderId"]
    assert order.json() == {"orderId": order_id, "status": "PENDING", "reason": None}
    assert urljoin(str(answer.url), place) == f"http://test{prefix}/api/v5/orders/{order_id}"
    assert is_problem(unknown, 404, "not_found")


async def test_the_stock_of_a_sale_says_when_it_opens(http, services, new_product):
    starts, other = await new_product(1, on_sale=False), await new_product(1)
    opens_at = datetime(2100, 1, 1, tzinfo=UTC)
    await services.stock.open_sale(starts, 1, Terms(starts_at=opens_at))

    stock = (await http.get(f"/api/v5/products/{starts}/stock")).json()
    always = (await http.get(f"/api/v5/products/{other}/stock")).json()

    assert datetime.fromisoformat(stock["opensAt"]) == opens_at
    assert set(stock) - set(always) == {"opensAt"}


async def test_reading_the_stock_counts_no_claims(http, services, new_product):
    product_id = await new_product(10)
    await buy(http, product_id, quantity=3)
    counted = await services.ledger.snapshot(product_id, count_claims=True)
    before = await range_reads(services)

    stock = (await http.get(f"/api/v5/products/{product_id}/stock")).json()

    assert await range_reads(services) == before
    assert {name: getattr(counted, name) for name in stock} == stock


async def test_a_claim_for_an_unknown_user_counts_as_invalid(services, new_product):
    product_id, seen = await new_product(10), []
    observed = Observe(create_app(lambda: services), seen.append)
    async with client_of(observed) as http:
        await http.post("/api/v5/buy", json={"productId": product_id})

    assert [(one.generation, one.status, one.outcome) for one in seen] == [(5, 422, "invalid")]


async def range_reads(services):
    """Return how often Valkey has read a range of a stream, including by scripts."""
    return (await services.redis.info("commandstats"))["cmdstat_xrange"]["calls"]


async def test_the_same_key_gives_the_same_answer(http, new_product):
    product_id = await new_product(10)

    first, again = await buy(http, product_id, "k-1"), await buy(http, product_id, "k-1")
    other = await buy(http, product_id, "k-1", quantity=2)

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert is_problem(other, 422, "idempotency_key_reused")


async def test_refusals_are_problems_with_stable_codes(http, services, new_product):
    sold_out = await new_product(0)
    limited = await new_product(10, on_sale=False)
    await services.stock.open_sale(limited, 10, Terms(limit_per_buyer=1))

    assert is_problem(await buy(http, sold_out), 409, "sold_out")
    assert is_problem(await buy(http, limited, quantity=2), 409, "purchase_limit")
    assert is_problem(await buy(http, "no-such-product"), 404, "not_found")


@pytest.mark.parametrize(
    "fields",
    [{"quantity": 0}, {"quantity": "many"}, {"userId": ""}, {"userId": None}, {"productId": "{p}"}],
)
async def test_invalid_input_is_422_and_changes_nothing(http, services, new_product, fields):
    product_id = await new_product(5)

    answer = await buy(http, **{"product_id": product_id, **fields})

    assert is_problem(answer, 422, "invalid")
    assert await services.stock.left([product_id]) == [5]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v5/orders/no-such-order", 404, "not_found"),
        ("/api/v5/orders/p:not-an-entry", 404, "not_found"),
        ("/api/v5/products/no-such/stock", 404, "not_found"),
        ("/api/v5/nothing", 404, "not_found"),
        ("/api/v5/buy", 405, "method_not_allowed"),
    ],
)
async def test_reading_a_missing_order_or_product(http, path, status, code):
    assert is_problem(await http.get(path), status, code)


async def test_redis_down_is_503_with_retry_after(http, stack, new_product):
    product_id = await new_product(2)
    stack.supervisor.stop_program("valkey")
    try:
        answer = await buy(http, product_id)
    finally:
        stack.start(stack.redis)

    assert is_problem(answer, 503, "unavailable")
    assert "retry-after" in answer.headers
    assert (await buy(http, product_id)).status_code == 202


async def test_no_claim_is_missing_after_valkey_was_killed(http, stack, services, new_product):
    product_id = await new_product(10)
    await sync_each_write(services.redis)
    for _ in range(4):
        assert (await buy(http, product_id)).status_code == 202
    pid = stack.supervisor.info()["valkey"]["pid"]

    os.kill(pid, signal.SIGKILL)
    eventually(lambda: stack.supervisor.info()["valkey"]["statename"] != "RUNNING")
    stack.start(stack.redis)
    await services.redis.connection_pool.disconnect()  # its connections lead to the dead process

    snapshot = await services.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled, snapshot.balanced) == (6, 4, True)


async def test_a_body_that_is_too_large_is_a_problem_too(http):
    answer = await http.post("/api/v5/buy", content=b"x" * 1_000_000)

    assert is_problem(answer, 413, "too_large")


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (NO_UNITS_LEFT, "No units were left."),
        (
            'PostgreSQL: connection to server at "10.0.0.5", port 5432 failed',
            "The order could not be completed.",
        ),
    ],
)
async def test_a_cancelled_order_shows_its_reason_without_internals(
    http, services, new_product, cause, shown
):
    order_id = (await buy(http, await new_product(1))).json()["orderId"]
    product_id, _, entry_id = order_id.rpartition(":")
    await services.orders.cancel_unless_confirmed(
        [QueuedOrder.of_claim(product_id, entry_id, USERS[0], 1, "")], [cause]
    )

    state = await http.get(f"/api/v5/orders/{order_id}")

    assert (state.json()["status"], state.json()["reason"]) == ("CANCELLED", shown)
