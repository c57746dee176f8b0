"""Payments through the deployed application: webhook, queue, function, order."""

import json
import time
from uuid import uuid4

import boto3
import httpx
import pytest

from flashsale.http.webhook import PATH
from flashsale_server.queues.depths import depth
from tests.helpers.support import USERS, until
from tests.helpers.webhooks import paid_event, signed
from tests.integration.held_shop import held_shop

UNITS = 750  # the price of `held_shop` in minor units


@pytest.fixture
async def shop(services, new_product, deployed):
    return await held_shop(services, new_product)


@pytest.fixture
def webhook(deployed):
    """Return a function that sends a webhook to the deployed application."""
    endpoint = deployed.webhook_endpoint

    def send(body, secret=deployed.webhook_secret, at=None, headers=None):
        headers = signed(body, secret, at) if headers is None else headers
        with httpx.Client(headers=dict(endpoint.headers), timeout=60) as client:
            return client.post(endpoint.url + PATH, content=body, headers=headers)

    return send


def new_id():
    return f"pi_{uuid4().hex}"


async def bought(http, shop):
    body = {"productId": shop.product_id, "userId": USERS[0]}
    answer = http.post("/api/v5/buy", json=body)
    assert answer.status_code == 202
    order_id = answer.json()["orderId"]

    async def reserved():
        order = await shop.services.orders.get(order_id)
        return order if order and order.status == "RESERVED" else None

    return await until(reserved)


async def test_a_webhook_confirms_the_order_that_it_pays(http, shop, webhook):
    order = await bought(http, shop)
    body = paid_event(order.id, new_id(), UNITS)

    answers = [webhook(body) for _ in range(2)]  # the provider sends it twice

    assert [one.status_code for one in answers] == [200, 200]

    async def settled():
        return (await shop.units()).settled

    await until(settled)
    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (9, 0, 0, 1))


async def test_what_is_not_signed_pays_nothing(http, shop, webhook):
    order = await bought(http, shop)
    body = paid_event(order.id, new_id(), UNITS)

    forged = [
        webhook(body, headers={}),
        webhook(body, secret="x" * 32),
        webhook(body, at=time.time() - 3600),
        webhook(body, headers=signed(body + b" ")),
    ]

    assert [one.status_code for one in forged] == [401] * 4
    assert {one.json()["code"] for one in forged} == {"invalid_signature"}
    assert forged[0].headers["content-type"] == "application/problem+json"
    # It follows them in the queue. The provider is not asked to refund what it does not know.
    other = paid_event(order.id, f"bank-{new_id()}", UNITS + 1)
    assert webhook(other).status_code == 200

    async def decided():
        statement = "SELECT why FROM payments WHERE order_id = %s AND decision <> 'WAITING'"
        return await shop.execute(statement, order.id)

    assert [row["why"] for row in await until(decided)] == ["wrong amount"]
    assert await shop.status(order) == "RESERVED"


async def test_a_message_that_is_no_payment_ends_in_the_dead_letter_queue(deployed, sqs):
    dead = deployed.queues["payments-dlq"]
    sqs.purge_queue(QueueUrl=dead)
    body = json.dumps({"id": new_id()})
    sqs.send_message(QueueUrl=deployed.queues["payments"], MessageBody=body)

    async def arrived():
        return depth(dead).total

    assert await until(arrived, 120) == 1
    (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert message["Body"] == body
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])


async def test_the_webhook_function_knows_no_store(deployed):
    client = boto3.client("lambda")
    name = f"{deployed.stack_name}-webhook"

    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    assert not {"REDIS_URL", "DATABASE_URL", "JWT_SECRET", "ORDERS_QUEUE_URL"} & variables.keys()
