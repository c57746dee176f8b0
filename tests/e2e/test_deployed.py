"""The deployed application on the emulator, from the HTTP API to PostgreSQL and back."""

import asyncio
import json
import os
import signal
import uuid

import boto3
import pytest

from flashsale.books import read_books
from flashsale.model import Order
from infra.deploy import LOCAL_BUY_CONCURRENCY
from infra.load import Kind, buy_all, is_throttled
from infra.problems import Problem
from infra.queues import depths
from tests.e2e.conftest import body
from tests.support import USERS, eventually


@pytest.fixture
def books_of(services):
    async def read(product_id):
        (books,) = await read_books(services, [product_id])
        return books

    return read


async def until(condition, deadline=60.0):
    """`eventually` for a condition that is a coroutine function."""
    async with asyncio.timeout(deadline):
        while not (value := await condition()):
            await asyncio.sleep(0.05)
        return value


async def drained(deployed, deadline=120.0):
    def empty():
        return not any(depth.total for depth in depths(deployed.queues).values())

    await asyncio.to_thread(eventually, empty, deadline)


def test_health_says_which_services_answer(http):
    answer = http.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "services": {"redis": "up", "postgresql": "up", "sqs": "up"},
    }


@pytest.mark.parametrize(
    ("generation", "status"), [(1, 201), (2, 201), (3, 201), (4, 202), (5, 202)]
)
async def test_a_purchase_becomes_an_order(http, new_product, books_of, generation, status):
    product_id = await new_product(2, on_sale=generation > 2)

    answer = http.post(f"/api/v{generation}/buy", json=body(product_id))

    assert answer.status_code == status

    async def confirmed():
        return (await books_of(product_id)).confirmed == 1

    await until(confirmed)
    assert (await books_of(product_id)).balanced


async def test_v4_answers_the_id_of_the_order(http, new_product):
    product_id = await new_product(1)

    answer = http.post("/api/v4/buy", json=body(product_id)).json()

    assert set(answer) == {"message", "orderId"}
    assert answer["message"] == "Order accepted for processing"


@pytest.mark.parametrize("generation", [4, 5])
async def test_a_crowd_buys_exactly_the_stock(deployed, new_product, books_of, generation):
    product_id = await new_product(20)

    answers = await buy_all(deployed.api, generation, product_id, USERS[:100], 16, lambda _: None)

    assert sum(answer.kind is Kind.ACCEPTED for answer in answers) == 20
    assert sum(answer.kind is Kind.SOLD_OUT for answer in answers) == 80
    await drained(deployed)
    books = await books_of(product_id)
    assert (books.confirmed, books.redis_stock, books.postgres_stock) == (20, 0, 0)


@pytest.mark.parametrize(("content", "status"), [(b"", 400), (b"{", 400), (b"x" * 1_000_000, 413)])
def test_bad_input_has_the_documented_shape(http, content, status):
    answer = http.post("/api/v4/buy", content=content, headers={"content-type": "application/json"})

    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message"}


async def test_more_requests_at_once_than_reserved_are_throttled(deployed):
    async with deployed.api.client() as client:
        answers = await asyncio.gather(
            *(client.get("/health") for _ in range(LOCAL_BUY_CONCURRENCY * 8))
        )

    assert {is_throttled(answer) for answer in answers} == {True, False}
    assert {answer.status_code for answer in answers if not is_throttled(answer)} == {200}


def test_a_throttled_request_is_429_or_on_localstack_500(deployed, http):
    """A difference between emulators that `infra.load` works around."""
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
    assert is_throttled(answer)


async def test_one_correlation_id_leads_from_the_request_to_the_order(http, new_product):
    product_id = await new_product(1)
    order_id = http.post("/api/v4/buy", json=body(product_id)).json()["orderId"]
    logs = boto3.client("logs")

    def lines(function):
        group = f"/aws/lambda/flashsale-e2e-{function}"
        events = logs.filter_log_events(logGroupName=group)["events"]
        messages = [event["message"] for event in events if order_id in event["message"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    (bought,) = eventually(lambda: lines("buy"))
    placed = eventually(lambda: lines("order"))[0]

    assert bought["outcome"] == "accepted"
    assert placed["orders"][order_id] == bought["correlation_id"]


async def test_a_bad_order_of_ten_is_rolled_back_and_its_unit_returns_once(
    deployed, sqs, new_product, books_of, services
):
    product_id = await new_product(10, in_redis=0)  # ten units claimed
    buyers = [*USERS[:9], "nobody"]
    orders = [
        Order(id=str(uuid.uuid4()), product_id=product_id, user_id=user, generation=4)
        for user in buyers
    ]
    entries = [
        {"Id": str(number), "MessageBody": order.model_dump_json()}
        for number, order in enumerate(orders)
    ]

    sqs.send_message_batch(QueueUrl=deployed.queues["orders"], Entries=entries)

    async def settled():
        books = await books_of(product_id)
        return books.confirmed == 9 and books.cancelled == 1 and books.redis_stock == 1

    await until(settled)
    # Sent once more, the bad order runs through the order and the rollback function again.
    sqs.send_message(QueueUrl=deployed.queues["orders"], MessageBody=orders[-1].model_dump_json())
    await drained(deployed)
    books = await books_of(product_id)
    assert (books.confirmed, books.redis_stock, books.balanced) == (9, 1, True)


async def test_poison_is_parked_with_its_cause_looked_at_and_sent_back(deployed, sqs, services):
    sqs.send_message(QueueUrl=deployed.queues["orders"], MessageBody="poison")

    def parked():
        return deployed.cloud.peek(deployed.queues["parking"], 10)

    (message,) = await asyncio.to_thread(eventually, parked, 120)
    again = parked()
    causes = await services.failures.causes([message.id])

    assert message.body == "poison"
    assert again == [message], "a look changes nothing"
    assert "not an order" in causes[message.id]
    assert deployed.cloud.redrive(deployed.queues["parking"], deployed.queues["dlq"]) == 1
    assert parked() == []
    # The rollback function fails ten times more, and parks it again.
    await asyncio.to_thread(eventually, parked, 120)
    sqs.purge_queue(QueueUrl=deployed.queues["parking"])


async def test_postgres_killed_in_the_middle_of_a_v4_sale(
    deployed, stack, new_product, books_of, sqs
):
    """kill -9, ten seconds of darkness, and a restart: every accepted buyer gets an answer."""
    product_id = await new_product(60)
    accepted = 0

    async def sell(users):
        nonlocal accepted
        answers = await buy_all(deployed.api, 4, product_id, users, 8, lambda _: None)
        accepted += sum(answer.kind is Kind.ACCEPTED for answer in answers)

    await sell(USERS[:30])
    os.kill(stack.supervisor.info()["postgres"]["pid"], signal.SIGKILL)
    darkness = asyncio.create_task(asyncio.sleep(10))
    await sell(USERS[30:60])  # V4 goes on selling
    await darkness
    await asyncio.to_thread(_start_postgres, stack)
    await sell(USERS[60:90])

    async def all_answered():
        if depths(deployed.queues)["parking"].total:  # rolled back in vain ten times: once more
            deployed.cloud.redrive(deployed.queues["parking"], deployed.queues["dlq"])
        books = await books_of(product_id)
        return books.confirmed + books.cancelled == accepted

    await until(all_answered, 180)
    await drained(deployed)
    books = await books_of(product_id)
    assert accepted >= 60
    assert (books.oversold, books.lost, books.balanced) == (0, 0, True)


def _start_postgres(stack):
    def started():
        try:
            stack.start(stack.database)
        except Problem:
            return False  # its killed parent's children hold the data folder a moment longer
        return True

    eventually(started)
