"""Sending payments to SQS: whatever SQS does, the webhook has its answer before its timeout."""

import json
from decimal import Decimal

import pytest

from flashsale.domain.payments import Payment
from flashsale.errors import QueueUnavailable
from flashsale.sqs_store import payment_queue
from flashsale.sqs_store.payment_queue import PaymentQueue
from tests.helpers.post_server import PostServer

PAYMENT = Payment("pi_1", "p-01:1-0", Decimal("7.50"), "EUR")


class Server(PostServer):
    """Answers each call with the next status; None cuts the connection."""

    def __init__(self, *statuses):
        self.statuses, self.bodies = list(statuses), []
        super().__init__()

    def answer_to(self, _path, _headers, body):
        self.bodies.append(json.loads(body))
        status = self.statuses.pop(0)
        if status is None:
            return None
        answer = {"MessageId": "m-1"} if status == 200 else {"__type": "InternalError"}
        return status, {}, json.dumps(answer).encode()


@pytest.fixture
def queue_on(monkeypatch):
    servers = []

    def start(*statuses):
        servers.append(Server(*statuses))
        monkeypatch.setenv("AWS_ENDPOINT_URL", servers[0].url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return servers[0], PaymentQueue(f"{servers[0].url}/000000000000/payments")

    yield start
    for server in servers:
        server.close()


def test_a_payment_is_one_message(queue_on):
    server, queue = queue_on(200)

    queue.send(PAYMENT)

    (call,) = server.bodies
    assert json.loads(call["MessageBody"]) == {
        "id": "pi_1", "order_id": "p-01:1-0", "amount": "7.50", "currency": "EUR",
    }  # fmt: skip


@pytest.mark.parametrize("first", [500, None])
def test_it_tries_twice(queue_on, first):
    server, queue = queue_on(first, 200)

    queue.send(PAYMENT)

    assert len(server.bodies) == 2


@pytest.mark.parametrize("statuses", [(500, 503), (None, None), (403,)])
def test_what_sqs_does_not_confirm_is_not_taken(queue_on, statuses):
    server, queue = queue_on(*statuses)

    with pytest.raises(QueueUnavailable, match="pi_1"):
        queue.send(PAYMENT)

    assert len(server.bodies) == len(statuses)


def test_all_attempts_fit_into_half_of_the_functions_time():
    attempts, pause = payment_queue.ATTEMPTS, 1.0  # botocore's longest before the second attempt
    one = payment_queue.CONNECT_TIMEOUT + payment_queue.READ_TIMEOUT

    assert attempts == 2
    assert attempts * one + pause <= 5
