"""Pushes that share calls of SQS: each message has its own outcome, whatever befalls the others."""

import asyncio
import itertools

import pytest

from flashsale.errors import MessageRefused, PushRefused, PushUncertain
from flashsale.sqs_store import shared_calls
from flashsale.sqs_store.shared_calls import ATTEMPTS
from tests.helpers.scripted_sqs import ORDER, TAKEN

BUG = "Sender:InvalidMessageContents"
REFUSED = "Sender:KmsThrottled"
FAILED = "InternalError"


def orders(count):
    return [ORDER.model_copy(update={"id": f"order-{number}"}) for number in range(count)]


def ids(count):
    return [order.id for order in orders(count)]


async def push_all(server, count, **options):
    """Push orders at the same time, and return the outcome of each: None if SQS took it."""
    queue = server.queue(**options)
    pushes = (queue.push(order) for order in orders(count))
    return await asyncio.gather(*pushes, return_exceptions=True)


def kinds(outcomes):
    return [type(outcome) if outcome else None for outcome in outcomes]


async def test_pushes_of_the_same_moment_share_one_call(sqs):
    server = sqs(200)

    assert await push_all(server, 7) == [None] * 7
    assert server.order_ids == [ids(7)]


async def test_a_call_carries_ten_messages_at_most(sqs):
    server = sqs(*[200] * 3)

    assert await push_all(server, 25) == [None] * 25
    assert sorted(map(len, server.order_ids)) == [5, 10, 10]
    assert sorted(itertools.chain(*server.order_ids)) == sorted(ids(25))


async def test_a_call_carries_no_more_bytes_than_sqs_takes(sqs, monkeypatch):
    size = len(ORDER.model_dump_json())
    monkeypatch.setattr(shared_calls, "BYTES_PER_CALL", 3 * size)
    server = sqs(*[200] * 3)

    assert await push_all(server, 7) == [None] * 7
    assert sorted(map(len, server.order_ids)) == [1, 3, 3]


async def test_a_push_alone_leaves_at_once_and_others_meanwhile_share_the_next_call(
    sqs, monkeypatch
):
    monkeypatch.setattr(shared_calls, "PATIENCE", 30)
    server = sqs("hang", 200)
    queue = server.queue()
    first, *later = orders(5)
    pushes = [asyncio.create_task(queue.push(first))]
    await asyncio.to_thread(server.arrived.acquire)
    pushes += [asyncio.create_task(queue.push(order)) for order in later]
    await asyncio.gather(*pushes)

    assert server.order_ids == [["order-0"], ids(5)]


async def test_a_call_that_hangs_holds_up_no_other_push(sqs):
    server = sqs("hang", 200, 200)
    queue = server.queue()
    hanging = asyncio.create_task(queue.push(orders(2)[0]))
    await asyncio.to_thread(server.arrived.acquire)

    await queue.push(orders(2)[1])

    assert not hanging.done()
    await hanging


@pytest.mark.parametrize(
    ("outcome", "kind"), [(BUG, MessageRefused), (REFUSED, PushRefused), (TAKEN, None)]
)
async def test_an_entry_that_sqs_decides_about_decides_nothing_for_the_others(sqs, outcome, kind):
    server = sqs([TAKEN] * 4 + [outcome] + [TAKEN] * 5)

    assert kinds(await push_all(server, 10)) == [None] * 4 + [kind] + [None] * 5
    assert len(server.bodies) == 1


@pytest.mark.parametrize("outcome", [FAILED, None])
async def test_an_entry_without_a_decision_is_sent_again_alone(sqs, outcome):
    server = sqs([TAKEN, outcome, TAKEN], 200)

    assert await push_all(server, 3) == [None] * 3
    assert server.order_ids == [ids(3), ["order-1"]]


@pytest.mark.parametrize("outcome", [FAILED, None])
async def test_an_entry_that_stays_without_a_decision_is_uncertain(sqs, outcome):
    server = sqs([TAKEN, outcome, TAKEN], *[[outcome]] * (ATTEMPTS - 1))

    assert kinds(await push_all(server, 3)) == [None, PushUncertain, None]


@pytest.mark.parametrize(("answer", "kind"), [(400, PushRefused), ("AccessDenied", PushRefused)])
async def test_a_call_that_is_refused_as_a_whole_refuses_each_message(sqs, answer, kind):
    server = sqs(answer)

    assert kinds(await push_all(server, 3)) == [kind] * 3
    assert len(server.bodies) == 1


async def test_a_call_that_one_message_spoils_is_judged_message_by_message(sqs):
    server = sqs("InvalidMessageContents", 200, "InvalidMessageContents", 200)

    outcomes = kinds(await push_all(server, 3))

    assert sorted(map(str, outcomes)) == sorted(map(str, [None, MessageRefused, None]))
    assert [len(call) for call in server.order_ids] == [3, 1, 1, 1]


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_after_a_cut_call_each_message_has_its_own_outcome(sqs, failure):
    """One message of the retry is refused: SQS may have it from the first call."""
    server = sqs(failure, [TAKEN, BUG, FAILED], [BUG, TAKEN])

    outcomes = await push_all(server, 3)

    assert kinds(outcomes) == [None, PushUncertain, None]
    first, second, third = server.order_ids
    assert first == second == ids(3)
    assert third == ["order-1", "order-2"]


@pytest.mark.parametrize("failure", ["hang", "cut", 500])
async def test_a_call_that_is_cut_in_each_retry_is_uncertain_for_all(sqs, failure):
    server = sqs(*[failure] * ATTEMPTS)

    assert kinds(await push_all(server, 3)) == [PushUncertain] * 3


async def test_a_buyer_who_disconnects_takes_nobody_along(sqs):
    server = sqs(200)
    queue = server.queue()
    pushes = [asyncio.create_task(queue.push(order)) for order in orders(3)]
    await asyncio.sleep(0)  # they wait for the call

    pushes[1].cancel()
    outcomes = await asyncio.gather(*pushes, return_exceptions=True)

    assert kinds(outcomes) == [None, asyncio.CancelledError, None]
    assert server.order_ids == [ids(3)]  # its claim stands, so its order is written


async def test_a_process_with_one_request_at_a_time_sends_by_the_same_rules(sqs):
    server = sqs("cut", [FAILED], [TAKEN])

    assert await push_all(server, 1, blocking=True) == [None]
    assert server.order_ids == [["order-0"]] * 3
