"""A key is bound to its first request, and is read in the same way at every endpoint."""

import asyncio
import base64
import json
from collections import defaultdict

import pytest

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.model import Refusal
from flashsale.http import admin
from flashsale.http.application import create_app
from flashsale.http.gateway import lambda_handler
from flashsale.usecases.relay import LEASE_MS, TOKEN
from tests.helpers.admin_desk import Nowhere, token, trusting
from tests.helpers.in_process import client_of
from tests.helpers.support import USERS

JSON = ("content-type", "application/json")


class Between:
    """Holds the next claim after its script until it may continue."""

    def __init__(self, services, monkeypatch):
        self._real = services.ledger._claim
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._first = True
        monkeypatch.setattr(services.ledger, "_claim", self)

    async def __call__(self, **named):
        answer = await self._real(**named)
        if self._first:
            self._first = False
            self.reached.set()
            await self.go_on.wait()
        return answer


async def claim(services, product_id, key, quantity=1):
    request = Claim(product_id, USERS[0], quantity, key)
    return await services.ledger.claim(request, TOKEN, LEASE_MS)


async def test_a_rejected_request_keeps_the_key_of_an_accepted_equal_one(
    services, new_product, monkeypatch
):
    product_id = await new_product(1, in_redis=0)
    between = Between(services, monkeypatch)
    refused = asyncio.create_task(claim(services, product_id, product_id))
    await between.reached.wait()
    await services.stock.restock(product_id, 5)

    accepted = await claim(services, product_id, product_id)
    between.go_on.set()

    assert await refused is Refusal.SOLD_OUT
    assert isinstance(accepted, Claimed)
    assert await claim(services, product_id, product_id, 2) is Refusal.KEY_REUSED
    assert (await claim(services, product_id, product_id)).order_id == accepted.order_id


async def test_a_later_rejected_request_keeps_the_key_of_an_equal_one(
    services, new_product, monkeypatch
):
    product_id = await new_product(1)
    between = Between(services, monkeypatch)
    first = asyncio.create_task(claim(services, product_id, product_id))
    await between.reached.wait()
    await services.stock.pause_sale(product_id)  # the answer is kept but no unit
    await services.redis.delete(f"{{{product_id}}}:idem:{USERS[0]} {product_id}")

    refused = await claim(services, product_id, product_id)
    between.go_on.set()

    assert refused is Refusal.SALE_NOT_OPEN
    assert isinstance(await first, Claimed)
    assert await claim(services, product_id, product_id, 2) is Refusal.KEY_REUSED


async def test_a_key_with_only_rejected_requests_is_free(services, new_product):
    product_id = await new_product(1, in_redis=0)

    same = [await claim(services, product_id, product_id) for _ in range(3)]
    other = await claim(services, product_id, product_id, 2)

    assert {*same, other} == {Refusal.SOLD_OUT}
    assert not await services.redis.exists(f"idem:{USERS[0]} {product_id}")


async def test_a_bound_key_is_remembered_for_a_day(services, new_product):
    product_id = await new_product(1)

    await claim(services, product_id, product_id)

    binding = await services.redis.ttl(f"idem:{USERS[0]} {product_id}")
    answer = await services.redis.ttl(f"{{{product_id}}}:idem:{USERS[0]} {product_id}")
    assert 86_000 < answer <= 86_400
    assert answer + 60 - 2 <= binding <= 86_460, "it outlives the answer"


# Header lines of a client. API Gateway joins lines of the same name with a comma.
DOUBLE = {
    "two keys": [JSON, ("idempotency-key", "a"), ("idempotency-key", "b")],
    "the same key twice": [JSON, ("idempotency-key", "a"), ("Idempotency-Key", "a")],
    "a key and none": [JSON, ("idempotency-key", ""), ("idempotency-key", "b")],
    "a key with a comma": [JSON, ("idempotency-key", "a,b")],
    "two types": [JSON, ("content-type", "text/plain")],
    "the same type twice": [JSON, JSON],
}


def joined(lines):
    """Return headers as API Gateway passes them to a function."""
    values = defaultdict(list)
    for name, value in lines:
        values[name.lower()].append(value)
    return {name: ",".join(listed) for name, listed in values.items()}


@pytest.fixture
def by_asgi(services):
    """Sends a request to buyers' and admins' API in process, on the tests' stores."""
    services.order_queue = Nowhere()
    api = create_app(lambda: trusting(services), more=[admin.router])

    async def send(path, body, lines):
        async with client_of(api) as http:
            return await http.post(path, content=json.dumps(body), headers=lines)

    return send


def by_lambda(path, body, headers):
    http = {"method": "POST", "path": path, "sourceIp": "127.0.0.1"}
    event = {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "localhost", **headers}, "isBase64Encoded": False,
        "requestContext": {"requestId": "test", "http": http}, "body": json.dumps(body),
    }  # fmt: skip
    return lambda_handler(create_app())(event, None)


@pytest.mark.parametrize("name", DOUBLE)
async def test_a_repeated_header_is_422_at_v5(by_asgi, services, new_product, name):
    product_id = await new_product(5)
    body = {"productId": product_id, "userId": USERS[0]}

    answer = await by_asgi("/api/v5/buy", body, DOUBLE[name])

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "it may come once" in answer.json()["detail"]
    assert await services.stock.left([product_id]) == [5]


@pytest.mark.parametrize("name", DOUBLE)
def test_a_repeated_header_is_422_at_v5_on_lambda(name):
    body = {"productId": "p-01", "userId": USERS[0]}

    answer = by_lambda("/api/v5/buy", body, joined(DOUBLE[name]))

    assert answer["statusCode"] == 422
    assert b"it may come once" in body_of(answer)


def body_of(answer):
    text = answer["body"].encode()
    return base64.b64decode(text) if answer["isBase64Encoded"] else text


@pytest.mark.parametrize("name", DOUBLE)
async def test_a_repeated_header_is_422_at_the_admin_api(by_asgi, services, new_product, name):
    product_id = await new_product(5)
    lines = [*DOUBLE[name], ("authorization", f"Bearer {token()}")]
    path = f"/api/admin/products/{product_id}/restock"

    answer = await by_asgi(path, {"units": 1}, lines)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert await services.stock.left([product_id]) == [5]


async def test_two_content_types_are_400_at_v4(by_asgi, new_product):
    product_id = await new_product(5)
    body = {"productId": product_id, "userId": USERS[0]}

    answer = await by_asgi("/api/v4/buy", body, DOUBLE["two types"])

    assert (answer.status_code, set(answer.json())) == (400, {"error", "message"})


async def test_two_host_headers_are_rejected(by_asgi, new_product):
    body = {"productId": await new_product(5), "userId": USERS[0]}

    answer = await by_asgi("/api/v5/buy", body, [JSON, ("host", "a"), ("host", "b")])

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
