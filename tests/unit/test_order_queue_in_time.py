"""The push to SQS, and reads of its queues, end in time when SQS hangs."""

import asyncio
import threading
import time

import pytest

from flashsale.domain.messages import MESSAGES_PER_CALL
from flashsale.errors import PushRefused, PushUncertain, QueueUnavailable
from flashsale.sqs_store import order_queue
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale.sqs_store.shared_calls import CALLS
from tests.helpers.scripted_sqs import ORDER


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(order_queue, "PUSH_TIME", 0.5)
    monkeypatch.setattr(order_queue, "SQS_TIMEOUT", 0.4)


class Hanging:
    """A client whose calls hang until the end of the test."""

    def __init__(self):
        self.calls = 0
        self.end = threading.Event()

    def send_message_batch(self, **_):
        self.calls += 1
        self.end.wait(30)
        raise RuntimeError

    get_queue_attributes = send_message_batch


@pytest.fixture
def hanging():
    client = Hanging()
    yield client
    client.end.set()


@pytest.mark.deadline
async def test_all_attempts_of_a_push_share_one_deadline(hanging, hurried):
    started = time.monotonic()

    with pytest.raises(PushUncertain, match="no answer in time"):
        await OrderQueue(hanging, "queue").push(ORDER)

    assert time.monotonic() - started < 1.5
    assert hanging.calls == 1


@pytest.mark.deadline
async def test_where_calls_block_no_attempt_starts_that_could_end_too_late(sqs, hurried):
    server = sqs("hang", 200)  # the client times out after a second
    queue = server.queue(blocking=True)

    with pytest.raises(PushUncertain):
        await queue.push(ORDER)

    assert len(server.bodies) == 1


async def test_a_push_without_a_free_call_is_a_certain_rejection(hanging, hurried):
    """Threads that hang are not the event loop's default threads, which resolve addresses."""
    sent = CALLS * MESSAGES_PER_CALL
    queue = OrderQueue(hanging, "queue")

    outcomes = await asyncio.gather(
        *(queue.push(ORDER) for _ in range(sent + 5)), return_exceptions=True
    )

    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(PushUncertain), kinds.count(PushRefused)) == (sent, 5)
    assert await asyncio.to_thread(lambda: "free") == "free"


@pytest.mark.parametrize("ask", ["ping", "waiting"])
async def test_reading_a_queue_that_hangs_times_out(hanging, hurried, ask):
    with pytest.raises(QueueUnavailable, match="no answer within"):
        await getattr(OrderQueue(hanging, "queue", blocking=True), ask)()
