"""What a payment costs the functions: `python -m loadtest.payments`, on a running local stack.

It calls the handlers of buy, webhook and payment in process, and counts their CPU and their log.
The provider is the fake one of the stack.
"""

import json
import os
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3

from flashsale.chunks import chunks
from flashsale.domain.messages import MESSAGES_PER_CALL, QueuedOrder
from flashsale.http.webhook import PATH
from flashsale.provider.signature import sign
from flashsale.services import Services
from flashsale_local.console import console, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from loadtest.holds.shop import Shop
from loadtest.machine import machine
from loadtest.samples import spread

ROUNDS, PAYMENTS, WARM_UP, HOLD = 5, 500, 50, 3600
# What the seeded products cost, in minor units and as queued.
MINOR, PRICE = 4990, "49.90"
SECRET = "whsec_bench_" + "s" * 32
CONTEXT = types.SimpleNamespace(
    function_name="bench", memory_limit_in_mb=512, invoked_function_arn="bench",
    aws_request_id="bench", get_remaining_time_in_millis=lambda: 10_000,
)  # fmt: skip

Event = dict[str, Any]


def main() -> None:
    """Measure and print the table."""
    target = Target.load(LOCAL)

    async def reserve(services: Services) -> list[QueuedOrder]:
        return await Shop(services).reserve(HOLD, WARM_UP + ROUNDS * PAYMENTS)

    orders = with_services(target, reserve)
    rows = table("Functions", "of one payment", "median", "min – max")
    with _own_queue() as queue:
        os.environ.update(_environment(target, queue))
        for name, (handler, events_of) in _kinds().items():
            found = [_measure(handler, events_of(some)) for some in _rounds(orders)][1:]
            cpu, log = zip(*found, strict=True)
            rows.add_row(f"{name}, ms CPU", *spread([one * 1e3 for one in cpu], 2))
            rows.add_row("  bytes of log", *spread(log, 0))
    console.print(rows)
    console.print(machine())


@contextmanager
def _own_queue() -> Iterator[str]:
    """Make a queue that no function reads, and delete it at the end of the block."""
    client = boto3.client("sqs")
    url = client.create_queue(QueueName=f"bench-payments-{time.time_ns():x}")["QueueUrl"]
    try:
        yield url
    finally:
        client.delete_queue(QueueUrl=url)


def _environment(target: Target, queue: str) -> dict[str, str]:
    return {
        "REDIS_URL": target.redis_url,
        "DATABASE_URL": target.database_url,
        "ORDERS_QUEUE_URL": target.queues["orders"],
        "PAYMENTS_QUEUE_URL": queue,
        "WEBHOOK_SECRETS": SECRET,
        "PROVIDER_URL": target.provider_url,
        "PROVIDER_KEY": target.provider_key,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "POWERTOOLS_SERVICE_NAME": "flashsale",
        "POWERTOOLS_METRICS_NAMESPACE": "flashsale",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def _kinds() -> dict[
    str, tuple[Callable[..., Any], Callable[[Sequence[QueuedOrder]], list[Event]]]
]:
    """Return handlers and what makes their events, in the order of a payment's way."""
    from functions.buy.app import handler as buy  # noqa: PLC0415 - the variables must be set first
    from functions.payment.app import handler as payment  # noqa: PLC0415
    from functions.webhook.app import handler as webhook  # noqa: PLC0415

    return {
        "buy, begins it": (buy, _begins),
        "webhook, receives it": (webhook, _webhooks),
        "payment, applies it": (payment, _batches),
    }


def _rounds(orders: Sequence[QueuedOrder]) -> list[Sequence[QueuedOrder]]:
    return [orders[:WARM_UP], *chunks(orders[WARM_UP:], PAYMENTS)]


def _request(path: str, body: str, headers: dict[str, str]) -> Event:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "localhost", **headers},
        "requestContext": {
            "requestId": "bench",
            "http": {"method": "POST", "path": path, "sourceIp": "127.0.0.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _begins(orders: Sequence[QueuedOrder]) -> list[Event]:
    return [_request(f"/api/v5/orders/{order.id}/payment", "", {}) for order in orders]


def _webhooks(orders: Sequence[QueuedOrder]) -> list[Event]:
    return [_webhook(order.id) for order in orders]


def _payment_id(order_id: str) -> str:
    return "pi_" + order_id.replace(":", "-")


def _webhook(order_id: str) -> Event:
    intent = {
        "id": _payment_id(order_id), "object": "payment_intent", "amount_received": MINOR,
        "currency": "eur", "metadata": {"order_id": order_id}, "status": "succeeded",
    }  # fmt: skip
    body = json.dumps({"type": "payment_intent.succeeded", "data": {"object": intent}})
    signature = sign(body.encode(), SECRET, int(time.time()))
    return _request(PATH, body, {"stripe-signature": signature})


def _batches(orders: Sequence[QueuedOrder]) -> list[Event]:
    return [
        {"Records": [_record(order.id) for order in some]}
        for some in chunks(list(orders), MESSAGES_PER_CALL)
    ]


def _record(order_id: str) -> Event:
    payment = {
        "id": _payment_id(order_id),
        "order_id": order_id,
        "amount": PRICE,
        "currency": "EUR",
    }
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(time.time_ns() // 10**6)}
    return {"messageId": order_id, "body": json.dumps(payment), "attributes": attributes}


def _measure(handler: Callable[..., Any], events: Sequence[Event]) -> tuple[float, float]:
    """Return CPU seconds and bytes of log of one payment; an event may have several."""
    payments = sum(len(event.get("Records", [event])) for event in events)
    with tempfile.TemporaryFile() as log, _stdout_to(log.fileno()):
        started = time.process_time()
        answers = [handler(event, CONTEXT) for event in events]
        cpu = time.process_time() - started
        size = os.fstat(log.fileno()).st_size
    for answer in answers:
        assert answer.get("statusCode") in (200, 201) or answer == {"batchItemFailures": []}, answer
    return cpu / payments, size / payments


@contextmanager
def _stdout_to(descriptor: int) -> Iterator[None]:
    """Let the log lines of the functions go to a file."""
    before = os.dup(1)
    os.dup2(descriptor, 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)


if __name__ == "__main__":
    main()
