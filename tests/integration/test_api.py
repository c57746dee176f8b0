"""The HTTP API in process, on real stores: answers, rejections, hostile input, outages."""

import asyncio
import os
import re
import signal

import pytest

from flashsale.http.errors import RETRY_AFTER
from flashsale.http.limits import MAX_BODY
from flashsale.usecases.books import read_books
from tests.helpers.in_process import buyer_of
from tests.helpers.support import USERS, eventually

# A buyer gets the answer that a service is down within two seconds.
DEADLINE = 2.0


@pytest.fixture
async def http(services):
    async with buyer_of(services) as client:
        yield client


def body(product_id, user_id=USERS[0]):
    return {"productId": product_id, "userId": user_id}


@pytest.mark.parametrize("generation", [1, 2, 3])
async def test_a_purchase_returns_the_product_and_the_order(http, new_product, generation):
    product_id = await new_product(2)

    answer = await http.post(f"/api/v{generation}/buy", json=body(product_id))

    assert answer.status_code == 201
    product, order = answer.json()["updatedProduct"], answer.json()["placedOrder"]
    assert (product["id"], product["stock"], product["initialStock"]) == (product_id, 1, 2)
    assert (order["productId"], order["userId"], order["status"]) == (
        product_id,
        USERS[0],
        "CONFIRMED",
    )


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_a_sold_out_product_is_400(http, new_product, generation):
    product_id = await new_product(0)

    answer = await http.post(f"/api/v{generation}/buy", json=body(product_id))

    assert answer.status_code == 400
    assert answer.json() == {"error": "Bad Request", "message": "Out of stock"}


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_an_unknown_product_is_404(http, generation):
    answer = await http.post(f"/api/v{generation}/buy", json=body("no-such-product"))

    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found", "message": "Product not found"}


JSON = {"content-type": "application/json"}
BAD_BODIES = {
    "empty": b"",
    "not json": b"productId=1",
    "half json": b'{"productId": "p',
    "a list": b"[]",
    "null": b"null",
    "no fields": b"{}",
    "no user": b'{"productId": "p-01"}',
    "no product": b'{"userId": "u-00001"}',
    "blank product": b'{"productId": "", "userId": "u-00001"}',
    "blank user": b'{"productId": "p-01", "userId": "  "}',
    "numbers": b'{"productId": 1, "userId": 2}',
    "nulls": b'{"productId": null, "userId": null}',
    "objects": b'{"productId": {}, "userId": []}',
    "nul byte": b'{"productId": "p-01", "userId": "u\\u0000"}',
    "surrogate": b'{"productId": "p-01", "userId": "\\ud800"}',
    "braces": b'{"productId": "{p}", "userId": "u-00001"}',
    "too long": b'{"productId": "p-01", "userId": "' + b"u" * 200 + b'"}',
    "deep": b"[" * 5000,
    "not utf-8": b'{"productId": "\xff", "userId": "u"}',
}


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_invalid_input_is_400_with_the_documented_shape(http, generation, name):
    answer = await http.post(f"/api/v{generation}/buy", content=BAD_BODIES[name], headers=JSON)

    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == "Bad Request"
    assert "Traceback" not in answer.text


async def test_errors_of_invalid_input_name_the_field(http):
    answer = await http.post("/api/v4/buy", json={"productId": "p-01", "userId": ""})

    assert answer.json()["message"].startswith("userId: ")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_of_1_mb_is_413(http, declared):
    async def undeclared():
        for _ in range(64):
            yield b"x" * MAX_BODY

    content = b"x" * 1_000_000 if declared else undeclared()

    answer = await http.post("/api/v4/buy", content=content, headers=JSON)

    assert answer.status_code == 413
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such/route", 404),
        ("POST", "/api/v9/buy", 404),
        ("GET", "/api/v4/buy", 405),
        ("DELETE", "/api/products", 405),
        ("GET", "/api/products/no-such-product", 404),
        ("GET", "/api/products/%7Bp%7D", 400),
    ],
)
async def test_wrong_routes_have_the_documented_shape(http, method, path, status):
    answer = await http.request(method, path)

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


async def test_rejected_input_does_not_change_the_stock(http, services, new_product):
    product_id = await new_product(3)

    for generation in (1, 2, 3, 4):
        for bad in ({"productId": product_id}, body(product_id, ""), body(product_id, "a b")):
            await http.post(f"/api/v{generation}/buy", json=bad)

    (books,) = await read_books(services, [product_id])
    assert (books.redis_stock, books.postgres_stock, books.confirmed) == (3, 3, 0)


async def test_a_bug_answers_500_without_internals():
    async with buyer_of(None) as http:
        answer = await http.get("/api/products")

    assert answer.status_code == 500
    assert answer.json() == {
        "error": "Internal Server Error",
        "message": "This is our mistake; it was logged",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_products_show_the_stock_that_is_being_sold(http, new_product):
    on_sale = await new_product(5, in_redis=3)
    not_yet = await new_product(5, on_sale=False)

    listed = {p["id"]: p["stock"] for p in (await http.get("/api/products")).json()}
    single = (await http.get(f"/api/products/{on_sale}")).json()

    assert (listed[on_sale], listed[not_yet], single["stock"]) == (3, 5, 3)


async def test_the_api_documents_have_no_absolute_urls(http):
    pages = [(await http.get(path)).text for path in ("/", "/docs")]
    document = (await http.get("/openapi.json")).json()

    assert not [page for page in pages if re.search(r'(href|src)="(/|https?:)', page)]
    assert document["servers"] == [{"url": "."}]
    assert "/api/v4/buy" in document["paths"]


async def test_health_names_the_service_that_is_down(http):
    answer = await http.get("/health")  # there is no SQS in this stack

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "degraded",
        "services": {"redis": "up", "postgresql": "up", "sqs": "down"},
    }


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_redis_down_is_503_with_retry_after_and_recovers(
    http, stack, new_product, generation
):
    product_id = await new_product(2)
    path = f"/api/v{generation}/buy"
    stack.supervisor.stop_program("valkey")
    try:
        answer = await http.post(path, json=body(product_id))
    finally:
        stack.start(stack.redis)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == str(RETRY_AFTER)
    assert set(answer.json()) == {"error", "message"}
    product = (await http.get(f"/api/products/{product_id}")).json()
    assert product["stock"] == 2, "Valkey kept the stock, and the API reconnected"


@pytest.mark.deadline
@pytest.mark.parametrize("generation", [1, 2, 3, 4])
async def test_redis_frozen_is_503_within_the_deadline(http, stack, new_product, generation):
    product_id = await new_product(2)
    pid = stack.supervisor.info()["valkey"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        path = f"/api/v{generation}/buy"
        async with asyncio.timeout(DEADLINE):
            answer = await http.post(path, json=body(product_id))
    finally:
        os.kill(pid, signal.SIGCONT)

    assert answer.status_code == 503
    assert eventually(stack.redis.ready)


@pytest.mark.parametrize("generation", [1, 2, 3])
async def test_postgres_down_is_503_and_recovers(http, stack, new_product, generation):
    product_id = await new_product(3)
    stack.supervisor.stop_program("postgres")
    try:
        answer = await http.post(f"/api/v{generation}/buy", json=body(product_id))
    finally:
        stack.start(stack.database)

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    healed = await http.post(f"/api/v{generation}/buy", json=body(product_id))
    assert healed.status_code == 201


async def test_v4_releases_the_unit_when_sqs_certainly_has_no_order(http, services, new_product):
    product_id = await new_product(1)  # a closed port

    answer = await http.post("/api/v4/buy", json=body(product_id))

    assert answer.status_code == 503
    assert await services.stock.left([product_id]) == [1]
