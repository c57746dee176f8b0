"""The answer of a function with ReportBatchItemFailures.

AWS and the emulators take an answer with an unknown key or id for success. So the tests check the
exact shape.
"""

import io
import json
import uuid
from typing import ClassVar

import pytest
from aws_lambda_powertools import Logger, Metrics

from flashsale.domain.messages import QueuedOrder
from flashsale.redis_store.failures import Failure
from flashsale.runtime.sqs_event import failed_items, messages, record
from flashsale.usecases.batch import Outcome, ReceivedMessage


def test_messages_carry_the_id_of_the_event():
    event = {"Records": [{"messageId": "m-1", "body": "{}", "receiptHandle": "r"}]}

    assert messages(event) == [ReceivedMessage("m-1", "{}")]


def test_no_failures_is_an_empty_list():
    assert failed_items(Outcome()) == {"batchItemFailures": []}


def test_failures_are_message_ids():
    outcome = Outcome(failures=[Failure("m-1", "because"), Failure("m-2", "because")])

    assert failed_items(outcome) == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]
    }


def test_failed_orders_of_one_message_are_counted_individually():
    orders = [QueuedOrder.of_claim("p", f"1-{number}", "u", 1, "c") for number in range(3)]
    failures = [Failure("m-1", "Redis went away after the first"), Failure("m-2", "no order")]
    outcome = Outcome(orders={"m-1": orders}, confirmed=orders[:1], failures=failures)
    metrics = Metrics()

    record("…", outcome, Logger(service=uuid.uuid4().hex, stream=io.StringIO()), metrics)

    counted = {name: sum(metric["Value"]) for name, metric in metrics.metric_set.items()}
    metrics.clear_metrics()
    assert counted["OrdersConfirmed"] == 1
    assert counted["OrdersFailed"] == 3, "two orders of the envelope, and the invalid message"
    assert counted["BatchSize"] == 4


class TestALargeBatch:
    """Ten envelopes of 200 claims with names of maximum length."""

    ORDERS: ClassVar = {
        f"m-{message}": [
            QueuedOrder.of_claim("p" * 64, f"{10**18 + message}-{10**18 + n}", "u", 1, "\x00" * 128)
            for n in range(200)
        ]
        for message in range(10)
    }
    ALL: ClassVar = tuple(order for orders in ORDERS.values() for order in orders)

    @pytest.mark.parametrize(
        ("outcome", "group"),
        [
            (Outcome(orders=ORDERS, confirmed=list(ALL)), "orders"),
            (Outcome(orders=ORDERS, cancelled=list(ALL)), "cancelled_orders"),
            (Outcome(orders=ORDERS, sent_alone=list(ALL)), "sent_alone"),
            (
                Outcome(orders=ORDERS, failures=[Failure(id_, "x" * 1000) for id_ in ORDERS]),
                "failed_orders",
            ),
        ],
        ids=["confirmed", "cancelled", "sent alone", "failed"],
    )
    def test_log_lines_fit_into_cloudwatch_and_name_each_order(self, outcome, group):
        stream, metrics = io.StringIO(), Metrics()

        record("orders placed", outcome, Logger(service=uuid.uuid4().hex, stream=stream), metrics)

        metrics.clear_metrics()
        lines = stream.getvalue().splitlines()
        assert max(len(line.encode()) for line in lines) < 256 * 1024
        named = set()
        for line in map(json.loads, lines):
            found = line.get(group, {})
            for message_id in found if group == "failed_orders" else ():
                assert line["failures"][message_id], "each line says why its orders failed"
            parts = found.values() if group == "failed_orders" else [found]
            named |= {order_id for part in parts for order_id in part}
        assert named == {order.id for order in self.ALL}
