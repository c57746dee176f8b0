"""The push to SQS: certain rejections, and calls whose outcome is unknown.

A server with scripted answers stands in for an SQS that throttles or hangs, because neither AWS nor
an emulator does that on demand. moto answers where AWS decides about the rejection.
"""

import asyncio
import threading
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from flashsale.deadline import Deadline
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.errors import MessageRefused, PushRefused, PushUncertain, QueueUnavailable
from flashsale.generations import v4
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale.sqs_store.shared_calls import ATTEMPTS
from flashsale_local.stack.program import free_port
from tests.helpers.scripted_sqs import ORDER, queue_at

CLAIM = QueuedOrder.of_claim("p-01", "1-0", "u-1", 1, "c-1")


async def test_a_push_sends_the_order_as_json(sqs):
    server = sqs(200)

    await server.queue().push(ORDER)

    ((body,),) = server.messages
    assert QueuedOrder.model_validate_json(body) == ORDER


@pytest.mark.parametrize("blocking", [True, False])
async def test_calls_use_threads_only_where_other_requests_run(blocking):
    """A thread saves nothing in a process that serves one request at a time."""
    threads = []

    class Client:
        def send_message_batch(self, **_):
            threads.append(threading.get_ident())
            return {"Successful": [{"Id": "0"}]}

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
        await server.queue().push(ORDER)

    assert len(server.bodies) == 1


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_an_unknown_outcome_is_retried_with_the_same_order(sqs, failure):
    server = sqs(failure, 200)

    await server.queue().push(ORDER)

    first, second = server.messages
    assert first == second == [ORDER.model_dump_json()]


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_an_outcome_that_stays_unknown_is_uncertain(sqs, failure):
    server = sqs(*[failure] * ATTEMPTS)

    with pytest.raises(PushUncertain):
        await server.queue().push(ORDER)

    assert len(server.bodies) == ATTEMPTS


async def test_a_rejection_after_a_timeout_is_still_uncertain(sqs):
    server = sqs("hang", 400, 400)

    with pytest.raises(PushUncertain):
        await server.queue().push(ORDER)


async def test_a_missing_queue_is_a_certain_rejection():
    with mock_aws():
        client = boto3.client("sqs")
        client.list_queues()  # moto loads SQS now, and a push would not wait for it
        queue = OrderQueue(client, "https://sqs.us-east-1.amazonaws.com/123456789012/no-such")

        with pytest.raises(PushRefused, match=r"NonExistent|does not exist"):
            await queue.push(ORDER)


class Answering:
    def __init__(self, answer):
        self._answer = answer

    def send_message_batch(self, **_):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    get_queue_attributes = send_message_batch


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
    refused = ClientError({**error, **metadata}, "SendMessageBatch")

    with pytest.raises(MessageRefused):
        await OrderQueue(Answering(refused), "queue").push(ORDER)


async def cancelled_purchase(shop, moment):
    """Buy by V4, and cancel the request at this moment."""
    buying = asyncio.create_task(v4.buy(shop, ORDER))
    await moment.wait()
    buying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await buying


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
    await cancelled_purchase(SimpleNamespace(stock=Stock(), order_queue=queue), began)
    go_on.set()
    await asyncio.sleep(0)

    assert given_back == [ORDER]


async def test_a_request_that_is_cancelled_while_redis_takes_its_unit_is_pushed():
    """Redis takes the unit whether its buyer waits or not. So its order must go on."""
    asked, answer, pushed = asyncio.Event(), asyncio.Event(), []

    class Stock:
        async def decrement(self, *_):
            asked.set()
            await answer.wait()
            return 4

    class Queue:
        async def push(self, order):
            pushed.append(order)

    await cancelled_purchase(SimpleNamespace(stock=Stock(), order_queue=Queue()), asked)
    answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert pushed == [ORDER]
