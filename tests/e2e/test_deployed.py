"""The deployed application on the emulator, from the HTTP API to PostgreSQL and back."""

import asyncio
import json
import time

import boto3
import pytest

from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.sale.answers import AnswerKind, classify_answer
from flashsale_local.sale.load import buy_all
from flashsale_local.sale.warm_up import warm_up
from tests.e2e.conftest import body, drained
from tests.helpers.support import USERS, eventually, until


def test_health_names_the_services_that_are_up(http):
    answer = http.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "services": {"redis": "up", "postgresql": "up", "sqs": "up"},
    }


def test_an_empty_endpoint_url_is_left_out(deployed):
    functions = boto3.client("lambda")

    for name in ("buy", "admin", "order", "rollback", "sweep", "migrate"):
        found = functions.get_function_configuration(FunctionName=f"{deployed.stack_name}-{name}")
        assert found["Environment"]["Variables"]["REDIS_URL"]
        assert "AWS_ENDPOINT_URL" not in found["Environment"]["Variables"]


@pytest.mark.parametrize(
    ("generation", "status"), [(1, 201), (2, 201), (3, 201), (4, 202), (5, 202)]
)
async def test_a_purchase_becomes_an_order(http, new_product, books_of, generation, status):
    product_id = await new_product(2)

    answer = http.post(f"/api/v{generation}/buy", json=body(product_id))

    assert answer.status_code == status

    async def confirmed():
        return (await books_of(product_id)).confirmed == 1

    await until(confirmed)
    assert (await books_of(product_id)).balanced


async def test_v4_returns_the_id_of_the_order(http, new_product):
    product_id = await new_product(1)

    answer = http.post("/api/v4/buy", json=body(product_id)).json()

    assert set(answer) == {"message", "orderId"}
    assert answer["message"] == "Order accepted for processing"


@pytest.mark.parametrize("query", ["", "?from=a/b:c"])
async def test_the_location_of_a_claim_leads_to_its_order(http, new_product, query):
    """The emulator adds a path prefix that the function does not see."""
    bought = http.post(f"/api/v5/buy{query}", json=body(await new_product(1)))

    order = http.get(bought.url.join(bought.headers["location"]))

    assert order.status_code == 200
    assert order.json()["orderId"] == bought.json()["orderId"]


@pytest.mark.parametrize("generation", [4, 5])
async def test_a_crowd_buys_exactly_the_stock(deployed, new_product, books_of, generation):
    product_id = await new_product(20)

    answers = await buy_all(deployed.api, generation, product_id, USERS[:100], 16, lambda _: None)

    assert sum(answer.kind is AnswerKind.ACCEPTED for answer in answers) == 20
    assert sum(answer.kind is AnswerKind.SOLD_OUT for answer in answers) == 80
    await drained(deployed)
    books = await books_of(product_id)
    assert (books.confirmed, books.redis_stock, books.postgres_stock) == (20, 0, 0)


@pytest.mark.parametrize(("content", "status"), [(b"", 400), (b"{", 400), (b"x" * 1_000_000, 413)])
def test_bad_input_has_the_documented_shape(http, content, status):
    answer = http.post("/api/v4/buy", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


def _is_throttled(answer):
    return classify_answer(answer.status_code, answer.content) is AnswerKind.THROTTLED


async def test_more_requests_at_once_than_reserved_are_throttled(deployed):
    async with deployed.api.client() as client:
        answers = await asyncio.gather(
            *(client.get("/health") for _ in range(LOCAL_BUY_CONCURRENCY * 8))
        )

    throttled = [_is_throttled(answer) for answer in answers]
    assert set(throttled) == {True, False}
    served = {a.status_code for a, busy in zip(answers, throttled, strict=True) if not busy}
    assert 200 in served
    assert served <= {200, 503}, "the function answers; 503 says that a store was slow"


def test_a_throttled_request_gets_429_or_500_on_localstack(deployed, http):
    """`flashsale_local.sale.load` handles this difference between the emulators."""
    throttled = {"localstack": 500, "ministack": 429}[deployed.emulator]
    boto3.client("lambda").put_function_concurrency(
        FunctionName=f"{deployed.stack_name}-buy", ReservedConcurrentExecutions=0
    )
    try:
        answer = http.get("/health")
    finally:
        deployed.cloud.finish_deploy(
            deployed.stack_name, {"BuyReservedConcurrency": str(LOCAL_BUY_CONCURRENCY)}
        )

    assert answer.status_code == throttled
    assert _is_throttled(answer)


async def test_one_correlation_id_leads_from_the_request_to_the_order(deployed, http, new_product):
    product_id = await new_product(1)
    order_id = http.post("/api/v4/buy", json=body(product_id)).json()["orderId"]
    logs = boto3.client("logs")

    def lines(function):
        group = f"/aws/lambda/flashsale-e2e-{function}"
        events = logs.filter_log_events(logGroupName=group)["events"]
        messages = [event["message"] for event in events if order_id in event["message"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    async def both():
        found = lines("buy"), lines("order")
        if all(found):
            return found
        await warm_up(deployed)  # ministack takes a line that comes late with the next invocation
        return None

    (bought,), (placed, *_) = await until(both, 120)

    assert bought["outcome"] == "accepted"
    assert placed["orders"][order_id] == bought["correlation_id"]


async def test_the_sweep_runs_on_its_schedule(deployed):
    """A rule invokes it once a minute, on either emulator."""
    logs = boto3.client("logs")
    started = int(time.time() * 1000)

    def swept():
        group = f"/aws/lambda/{deployed.stack_name}-sweep"
        try:
            events = logs.filter_log_events(logGroupName=group, startTime=started)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event for event in events if '"swept"' in event["message"]]

    assert await asyncio.to_thread(eventually, swept, 180)


@pytest.mark.parametrize("path", ["/api/v4/buy", "/api/v5/buy", "/api/products/no-such-product"])
def test_both_kinds_of_api_answer_alike(http, path):
    """No header and no body may depend on what is in front of the function."""
    wrong = http.get("/no/such/path")
    other_site = {"origin": "https://example.org", "access-control-request-method": "POST"}
    preflight = http.options(path, headers=other_site)

    assert wrong.status_code == 404
    assert wrong.json() == {"error": "Not Found", "message": "Not Found"}
    assert preflight.is_client_error, "pages of other sites may not buy"
    assert "access-control-allow-origin" not in preflight.headers
