"""The payment function on real stores: twice, in parallel, too early, and while a store is down."""

import asyncio
import json

import pytest

from flashsale.deadline import Deadline
from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Decision, Payment, RefundReason
from flashsale.runtime import process
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.take_payments import take_payments
from functions.payment import app
from tests.helpers.support import USERS, LambdaContext
from tests.integration.held_shop import PRICE, held_shop


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product)


def payment_id(order, name="1"):
    return f"pi_{order.id.replace(':', '_')}_{name}"


def message(order, name="1", amount=None, message_id=None):
    amount = PRICE * order.quantity if amount is None else amount
    queued = QueuedPayment.of(Payment(payment_id(order, name), order.id, amount, "EUR"))
    return ReceivedMessage(message_id or f"m-{order.id}-{name}", queued.model_dump_json())


def decisions(taken):
    return [decided.decision for decided in taken.decided.values()]


def failed(taken):
    return {failure.message_id for failure in taken.failures}


async def test_a_batch_confirms_what_it_pays(shop):
    orders = [await shop.reserve(user, 2) for user in USERS[:3]]
    messages = [message(order) for order in orders]

    taken = await take_payments(shop.services, messages)

    assert not taken.failures
    assert taken.done == {one.id for one in messages}
    assert [await shop.status(order) for order in orders] == ["CONFIRMED"] * 3
    assert await shop.where() == (4, 0, 0, 6)


async def test_a_message_that_comes_again_changes_nothing(shop):
    order = await shop.reserve()
    copies = [message(order, message_id=id_) for id_ in ("m-1", "m-2")]

    first = await take_payments(shop.services, copies)
    again = await take_payments(shop.services, copies)

    assert [one.first for one in first.decided.values()] == [True, False]
    assert [one.first for one in again.decided.values()] == [False, False]
    assert decisions(first) == decisions(again) == [Decision.APPLIED] * 2
    assert await shop.where() == (9, 0, 0, 1)


async def test_batches_in_parallel_apply_each_payment_once(shop, other):
    orders = [await shop.reserve(user) for user in USERS[:4]]
    messages = [message(order) for order in orders]

    taken = await asyncio.gather(
        *(take_payments(services, messages) for services in (shop.services, other) * 3)
    )

    assert not any(one.failures for one in taken)
    applied = [one for outcome in taken for one in outcome.decided.values() if one.first]
    assert sorted(one.order.id for one in applied) == sorted(order.id for order in orders)
    assert await shop.where() == (6, 0, 0, 4)


async def test_a_payment_before_its_order_waits_and_is_no_failure(shop):
    order = await shop.claim()

    taken = await take_payments(shop.services, [message(order)])

    assert (decisions(taken), taken.failures) == ([Decision.WAITING], [])
    await shop.write(order)
    await shop.expire()  # decides on payments that waited
    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (9, 0, 0, 1))


async def test_a_late_payment_is_decided_and_no_failure(shop):
    order = await shop.reserve()
    await shop.time_passes()
    await shop.expire()

    taken = await take_payments(shop.services, [message(order)])

    (decided,) = taken.decided.values()
    assert (decided.decision, decided.why) == (Decision.REFUND_DUE, RefundReason.LATE)
    assert not taken.failures


@pytest.mark.parametrize("body", ["poison", "{}", '{"id": "pi_1"}', "[]", "\x00"])
async def test_a_message_that_is_no_payment_fails_alone_with_its_cause(shop, body):
    order = await shop.reserve()
    bad = ReceivedMessage(f"bad-{order.id}", body)

    taken = await take_payments(shop.services, [bad, message(order)])

    assert failed(taken) == {bad.id}
    assert "not a payment" in taken.failures[0].cause
    assert await shop.status(order) == "CONFIRMED"
    causes = await shop.services.failures.causes([bad.id])
    assert causes == {bad.id: taken.failures[0].cause}


async def test_without_postgres_the_batch_fails_after_one_try(shop, without):
    orders = [await shop.reserve(user) for user in USERS[:3]]
    services, messages = without("database_url"), [message(order) for order in orders]
    tries, apply = [], services.payments.apply

    async def counted(payment):
        tries.append(payment)
        return await apply(payment)

    services.payments.apply = counted

    taken = await take_payments(services, messages)

    assert failed(taken) == {one.id for one in messages}
    assert len(tries) == 1
    assert not taken.decided
    assert not (await take_payments(shop.services, messages)).failures
    assert await shop.where() == (7, 0, 0, 3)


async def test_without_redis_a_payment_is_written_and_settled_later(shop, without):
    order = await shop.reserve()

    taken = await take_payments(without("redis_url"), [message(order)])

    assert (failed(taken), decisions(taken)) == ({message(order).id}, [Decision.APPLIED])
    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (9, 0, 1, 0))
    assert not (await take_payments(shop.services, [message(order)])).failures
    assert await shop.where() == (9, 0, 0, 1)


async def test_what_is_not_done_in_time_fails(shop):
    orders = [await shop.reserve(user) for user in USERS[:2]]
    messages = [message(order) for order in orders]

    taken = await take_payments(shop.services, messages, Deadline.after(0))

    assert failed(taken) >= {messages[1].id}
    assert not (await take_payments(shop.services, messages)).failures
    assert await shop.where() == (8, 0, 0, 2)


async def test_the_function_reports_what_to_deliver_again(
    shop, migrated, monkeypatch, capsys, caplog
):
    monkeypatch.setenv("REDIS_URL", migrated.redis_url)
    monkeypatch.setenv("DATABASE_URL", migrated.database_url)
    process.services.cache_clear()
    paid, late = [await shop.reserve(user) for user in USERS[:2]]
    await shop.cancel(late)
    messages = [message(paid), message(late), ReceivedMessage("bad", "poison")]
    event = {"Records": [{"messageId": one.id, "body": one.body} for one in messages]}

    answer = await asyncio.to_thread(app.handler, event, LambdaContext())

    await asyncio.to_thread(process.run, lambda own: own.close())
    process.services.cache_clear()
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    (said,) = [one for one in caplog.records if one.message == "payments taken"]
    assert said.payments == {
        payment_id(paid): {"order_id": paid.id, "decision": "APPLIED", "why": None},
        payment_id(late): {"order_id": late.id, "decision": "REFUND_DUE", "why": "cancelled"},
    }
    assert "not a payment" in said.failures["bad"]
    (counted,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = ("PaymentsApplied", "PaymentsToRefund", "PaymentsFailed")
    assert [counted[name] for name in names] == [[1.0], [1.0], [1.0]]
