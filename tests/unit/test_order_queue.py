"""The push to SQS: what is refused for certain, and what may have got through.

A server that answers as told, or not at all, stands in for an SQS that throttles or hangs: neither
AWS nor an emulator does that on demand. Refusals that AWS decides are moto's.
"""

import contextlib
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from flashsale.deadline import Deadline
from flashsale.errors import PushRefused, PushUncertain
from flashsale.messages import Envelope, Order
from flashsale.order_queue import ATTEMPTS, OrderQueue
from infra.stack.program import free_port

CLAIM = Order.of_claim("p-01", "1-0", "u-1", 1, "c-1")
ORDER = Order(id="order-1", product_id="p-01", user_id="u-1", generation=4, correlation_id="c-1")


class Sqs:
    """An SQS that answers by a script: a status code, or "hang", or "cut" (the connection)."""

    def __init__(self, *script):
        self.script = deque(script)
        self.bodies = []
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                outer.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                step = outer.script.popleft()
                if step == "hang":
                    outer.release.wait()
                    return
                if step == "cut":
                    return
                code = "ThrottlingException" if step == 400 else "InternalError"
                payload = b"{}" if step == 200 else f'{{"__type": "{code}"}}'.encode()
                self.send_response(step)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def queue_at(url):
    config = Config(connect_timeout=0.5, read_timeout=0.3, retries={"total_max_attempts": 1})
    sqs = boto3.client("sqs", endpoint_url=url, config=config)
    return OrderQueue(sqs, f"{url}/000000000000/orders")


@pytest.fixture
def sqs():
    with contextlib.ExitStack() as closing:

        def serve(*script):
            server = Sqs(*script)
            closing.callback(server.close)
            return server

        yield serve


async def test_a_push_sends_the_order_as_json(sqs):
    server = sqs(200)

    await queue_at(server.url).push(ORDER)

    (body,) = server.bodies
    assert b'\\"id\\":\\"order-1\\"' in body
    assert b'\\"correlation_id\\":\\"c-1\\"' in body


@pytest.mark.parametrize("blocking", [True, False])
async def test_other_requests_go_on_while_sqs_answers_unless_there_are_none(blocking):
    """A thread costs as much as what it saves, in a process that serves one request at a time."""
    threads = []

    class Client:
        def send_message(self, **_):
            threads.append(threading.get_ident())

    await OrderQueue(Client(), "queue", blocking=blocking).push(ORDER)

    assert (threads == [threading.get_ident()]) is blocking


async def test_work_with_a_deadline_never_blocks_its_thread():
    """Else it could not be cut while SQS is silent."""
    threads = []

    class Client:
        def send_message_batch(self, **_):
            threads.append(threading.get_ident())
            return {"Successful": [{"Id": "0"}]}

    queue = OrderQueue(Client(), "queue", blocking=True)

    await Deadline.after(10).bound(queue.send([Envelope.of([CLAIM])]))
    await queue.send([Envelope.of([CLAIM])])

    assert [thread == threading.get_ident() for thread in threads] == [False, True]


async def test_a_closed_port_is_a_certain_refusal():
    with pytest.raises(PushRefused):
        await queue_at(f"http://127.0.0.1:{free_port()}").push(ORDER)


async def test_throttling_is_a_certain_refusal(sqs):
    server = sqs(400)

    with pytest.raises(PushRefused, match="ThrottlingException"):
        await queue_at(server.url).push(ORDER)

    assert len(server.bodies) == 1


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_an_unknown_outcome_is_tried_again_with_the_same_order(sqs, failure):
    server = sqs(failure, 200)

    await queue_at(server.url).push(ORDER)

    first, second = server.bodies
    assert first == second


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_an_outcome_that_stays_unknown_is_uncertain(sqs, failure):
    server = sqs(*[failure] * ATTEMPTS)

    with pytest.raises(PushUncertain):
        await queue_at(server.url).push(ORDER)

    assert len(server.bodies) == ATTEMPTS


async def test_a_refusal_after_a_timeout_is_still_uncertain(sqs):
    server = sqs("hang", 400, 400)

    with pytest.raises(PushUncertain):
        await queue_at(server.url).push(ORDER)


async def test_a_queue_that_does_not_exist_is_a_certain_refusal():
    with mock_aws():
        queue = OrderQueue(
            boto3.client("sqs"), "https://sqs.us-east-1.amazonaws.com/123456789012/no-such"
        )

        with pytest.raises(PushRefused, match=r"NonExistent|does not exist"):
            await queue.push(ORDER)
