"""How the ASGI edge counts its calls to SQS."""

import asyncio

import boto3
import pytest
from moto import mock_aws
from prometheus_client import REGISTRY

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.errors import PushRefused, QueueUnavailable
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale_server.edge.counting_queue import CountingQueue

ORDERS = [
    QueuedOrder(id=f"p-1:17-{n}", product_id="p-1", user_id="u-1", generation=5, correlation_id="")
    for n in range(3)
]


@pytest.fixture
def sqs():
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def queue(sqs):
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    return CountingQueue(OrderQueue(sqs, url))


@pytest.fixture
def counted():
    def value(name, **labels):
        return REGISTRY.get_sample_value(f"flashsale_{name}_total", labels) or 0

    def read():
        return {
            "ok": value("sqs_sends", operation="relay", outcome="ok"),
            "failed": value("sqs_sends", operation="relay", outcome="failed"),
            "pushed": value("sqs_sends", operation="push", outcome="ok"),
            "refused": value("sqs_sends", operation="push", outcome="failed"),
            "envelopes": value("relayed_envelopes"),
            "claims": value("relayed_claims"),
            "calls": value("sqs_calls"),
            "messages": value("sqs_messages"),
        }

    before = read()
    return lambda: {
        name: count - before[name] for name, count in read().items() if count != before[name]
    }


def test_it_hands_on_each_method_of_the_queue():
    methods = {name for name in vars(OrderQueue) if not name.startswith("_")}

    assert methods <= vars(CountingQueue).keys()


async def test_one_call_may_carry_many_claims(queue, counted):
    await queue.send([Envelope.of(ORDERS[:2]), Envelope.of(ORDERS[2:])])

    assert counted() == {"ok": 1, "envelopes": 2, "claims": 3, "calls": 1, "messages": 2}


async def test_claims_that_sqs_rejects_are_not_counted_as_sent(sqs, counted):
    with pytest.raises(QueueUnavailable):
        await CountingQueue(OrderQueue(sqs, "https://sqs/1/no-such")).send([Envelope.of(ORDERS)])

    assert counted() == {"failed": 1, "calls": 1, "messages": 1}


async def test_pushes_at_the_same_time_count_as_one_call(queue, counted):
    await asyncio.gather(*(queue.push(order) for order in ORDERS))

    assert counted() == {"pushed": 3, "calls": 1, "messages": 3}


async def test_a_push_is_counted_with_its_outcome(sqs, queue, counted):
    await queue.push(ORDERS[0])
    with pytest.raises(PushRefused):
        await CountingQueue(OrderQueue(sqs, "https://sqs/1/no-such")).push(ORDERS[0])

    assert counted() == {"pushed": 1, "refused": 1, "calls": 2, "messages": 2}
