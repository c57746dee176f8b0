"""The push to SQS: certain rejections, and calls whose outcome is unknown.

A server with scripted answers stands in for an SQS that throttles or hangs, because neither AWS nor
an emulator does that on demand. moto answers where AWS decides about the rejection.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from flashsale.deadline import Deadline
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.errors import MessageRefused, PushRefused, PushUncertain, QueueUnavailable
from flashsale.generations import v4
from flashsale.sqs_store import order_queue
from flashsale.sqs_store.order_queue import ATTEMPTS, THREADS, OrderQueue
from flashsale_local.stack.program import free_port
from tests.helpers.support import POLL

CLAIM = QueuedOrder.of_claim("p-01", "1-0", "u-1", 1, "c-1")
TAKEN = b'{"MessageId": "m-1"}'
ORDER = QueuedOrder(
    id="order-1", product_id="p-01", user_id="u-1", generation=4, correlation_id="c-1"
)


class Sqs:
    """An SQS with scripted answers: a status code, "hang", or "cut" (the connection)."""

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
                payload = TAKEN if step == 200 else f'{{"__type": "{code}"}}'.encode()
                self.send_response(step)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(POLL,), daemon=True).start()
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
async def test_calls_use_threads_only_where_other_requests_run(blocking):
    """A thread saves nothing in a process that serves one request at a time."""
    threads = []

    class Client:
        def send_message(self, **_):
            threads.append(threading.get_ident())
            return {"MessageId": "m-1"}

    await OrderQueue(Client(), "queue", blocking=blocking).push(ORDER)

    assert (threads == [threading.get_ident()]) is blocking


async def test_work_with_a_deadline_never_blocks_its_thread():
    """Otherwise it could not be cancelled while SQS is silent."""
    threads = []

    class Client:
        def send_message_batch(self, **_):
            threads.append(threading.get_ident())
            return {"Successful": [{"Id": "0"}]}

    queue = OrderQueue(Client(), "queue", blocking=True)

    await Deadline.after(10).bound(queue.send([Envelope.of([CLAIM])]))
    await queue.send([Envelope.of([CLAIM])])

    assert [thread == threading.get_ident() for thread in threads] == [False, True]


async def test_a_closed_port_is_a_certain_rejection():
    with pytest.raises(PushRefused):
        await queue_at(f"http://127.0.0.1:{free_port()}").push(ORDER)


async def test_throttling_is_a_certain_rejection(sqs):
    server = sqs(400)

    with pytest.raises(PushRefused, match="ThrottlingException"):
        await queue_at(server.url).push(ORDER)

    assert len(server.bodies) == 1


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_an_unknown_outcome_is_retried_with_the_same_order(sqs, failure):
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


async def test_a_rejection_after_a_timeout_is_still_uncertain(sqs):
    server = sqs("hang", 400, 400)

    with pytest.raises(PushUncertain):
        await queue_at(server.url).push(ORDER)


async def test_a_missing_queue_is_a_certain_rejection():
    with mock_aws():
        queue = OrderQueue(
            boto3.client("sqs"), "https://sqs.us-east-1.amazonaws.com/123456789012/no-such"
        )

        with pytest.raises(PushRefused, match=r"NonExistent|does not exist"):
            await queue.push(ORDER)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(order_queue, "PUSH_TIME", 0.5)
    monkeypatch.setattr(order_queue, "SQS_TIMEOUT", 0.4)


class Hanging:
    """A client whose calls hang until the end of the test."""

    def __init__(self):
        self.calls = 0
        self.end = threading.Event()

    def send_message(self, **_):
        self.calls += 1
        self.end.wait(30)
        raise RuntimeError

    get_queue_attributes = send_message_batch = send_message


@pytest.fixture
def hanging():
    client = Hanging()
    yield client
    client.end.set()


@pytest.mark.deadline
async def test_all_attempts_of_a_push_share_one_deadline(hanging, hurried):
    started = time.monotonic()

    with pytest.raises(PushUncertain, match="no answer within"):
        await OrderQueue(hanging, "queue").push(ORDER)

    assert time.monotonic() - started < 1.5
    assert hanging.calls == 1


@pytest.mark.deadline
async def test_where_calls_block_no_attempt_starts_that_could_end_too_late(sqs, hurried):
    server = sqs("hang", 200)  # the client times out after 0.3 s
    queue = queue_at(server.url)
    queue._blocking = True

    with pytest.raises(PushUncertain):
        await queue.push(ORDER)

    assert len(server.bodies) == 1


async def test_a_push_without_a_free_thread_is_a_certain_rejection(hanging, hurried):
    """Threads that hang are not the event loop's default threads, which resolve addresses."""
    queue = OrderQueue(hanging, "queue")

    outcomes = await asyncio.gather(
        *(queue.push(ORDER) for _ in range(THREADS + 5)), return_exceptions=True
    )

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(PushUncertain), kinds.count(PushRefused)) == (THREADS, 5)
    assert await asyncio.to_thread(lambda: "free") == "free"


@pytest.mark.parametrize("ask", ["ping", "waiting"])
async def test_reading_a_queue_that_hangs_times_out(hanging, hurried, ask):
    with pytest.raises(QueueUnavailable, match="no answer within"):
        await getattr(OrderQueue(hanging, "queue", blocking=True), ask)()


class Answering:
    def __init__(self, answer):
        self._answer = answer

    def send_message(self, **_):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    get_queue_attributes = send_message_batch = send_message


@pytest.mark.parametrize("answer", [{}, {"message": "<html>"}, None, [], "text", ValueError("?")])
async def test_an_answer_that_is_not_from_sqs_is_uncertain(answer):
    queue = OrderQueue(Answering(answer), "queue")

    with pytest.raises(PushUncertain):
        await queue.push(ORDER)
    with pytest.raises(QueueUnavailable):
        await queue.send([Envelope.of([ORDER])])
    for ask in (queue.ping, queue.waiting):
        with pytest.raises(QueueUnavailable):
            await ask()


@pytest.mark.parametrize("sender_fault", [True, False])
async def test_a_rejected_envelope_waits_and_the_log_says_who_must_act(sender_fault, caplog):
    code = "InvalidMessageContents" if sender_fault else "InternalError"
    failed = [{"Id": "1", "Code": code, "SenderFault": sender_fault}]
    queue = OrderQueue(Answering({"Successful": [{"Id": "0"}], "Failed": failed}), "queue")

    with pytest.raises(QueueUnavailable, match=f"did not take 1 envelopes: {code}"):
        await queue.send([Envelope.of([ORDER]), Envelope.of([ORDER])])

    assert ("this is a bug" in caplog.text) is sender_fault


async def test_a_message_that_sqs_rejects_as_such_is_a_bug():
    error = {"Error": {"Code": "InvalidMessageContents", "Message": "control characters"}}
    metadata = {"ResponseMetadata": {"HTTPStatusCode": 400}}
    refused = ClientError({**error, **metadata}, "SendMessage")

    with pytest.raises(MessageRefused):
        await OrderQueue(Answering(refused), "queue").push(ORDER)


async def test_a_cancelled_request_still_releases_units_of_a_rejected_push():
    """A timeout cancels the request. After a certain rejection its units must be released."""
    began, go_on, given_back = asyncio.Event(), asyncio.Event(), []

    class Stock:
        async def decrement(self, *_):
            return 4

        async def release(self, _, orders):
            began.set()
            await go_on.wait()
            given_back.extend(orders)

    queue = queue_at(f"http://127.0.0.1:{free_port()}")
    shop = SimpleNamespace(stock=Stock(), order_queue=queue)
    buying = asyncio.create_task(v4.buy(shop, ORDER))
    await began.wait()
    buying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await buying
    go_on.set()
    await asyncio.sleep(0)

    assert given_back == [ORDER]
