"""Processes and stores fail, or the provider repeats itself, while holds are made and ended."""

import asyncio
import hashlib
import random
import signal

import pytest

from flashsale.domain.messages import Envelope
from flashsale.domain.payments import Decision, RefundReason
from flashsale.errors import ServiceUnavailable
from flashsale.redis_store.scripts import LUA
from flashsale.usecases.rebuild import rebuild
from tests.faults.holds.checks import all_has_ended, laws_hold
from tests.helpers.proxy import Fault, When, kill_client
from tests.helpers.support import USERS, sync_each_write
from tests.integration.held_shop import PRICE


def digest(name):
    """Return the bytes that identify a call of a script."""
    return hashlib.sha1((LUA / f"{name}.lua").read_bytes(), usedforsecurity=False).hexdigest()


def payment_of(order):
    """Return the argument of the step `payment`. It is what `shop.pay` pays."""
    return f"{order.id}/pay-1 {order.id} {PRICE * order.quantity} EUR"


@pytest.mark.parametrize("when", When, ids=["before", "after"])
@pytest.mark.parametrize(
    ("step", "store", "call"),
    [
        ("order", "redis", digest("hold")),
        ("payment", "postgres", "COMMIT"),
        ("payment", "redis", digest("settle")),
        ("expire", "postgres", "COMMIT"),
        ("expire", "redis", digest("release_claim")),
    ],
    ids=["hold", "commit of a payment", "settle", "commit of an expiry", "release"],
)
async def test_a_process_dies_at_a_call(stores, shop, step, store, call, when):
    order = await shop.claim(units=2)
    argument = Envelope.of([order]).model_dump_json()
    if step != "order":
        await shop.write(order)
        argument = payment_of(order)
    if step == "expire":
        await shop.time_passes()
        argument = shop.product_id
    fault = Fault(call.encode(), when, kill_client)
    getattr(stores, store).fault = fault

    assert await stores.run(step, argument) == -signal.SIGKILL

    assert fault.struck == 1
    await laws_hold(shop)
    again = {"order": shop.write, "payment": shop.pay, "expire": lambda _: shop.expire()}[step]
    await again(order)  # its message comes again, or the next sweep
    ended = {"order": "RESERVED", "payment": "CONFIRMED", "expire": "EXPIRED"}[step]
    where = {"order": (298, 0, 2, 0), "payment": (298, 0, 0, 2), "expire": (300, 0, 0, 0)}[step]
    assert (await shop.status(order), await shop.where()) == (ended, where)
    payments = await all_has_ended(shop, confirmed=2 if step == "payment" else 0)
    assert list(payments.values()) == ([("APPLIED", None)] if step == "payment" else [])


async def deliver(shop, orders):
    """Deliver a message for the payment of each order; return those that must come again."""
    answers = await asyncio.gather(*(shop.pay(one) for one in orders), return_exceptions=True)
    for answer in answers:
        assert not isinstance(answer, Exception) or isinstance(answer, ServiceUnavailable), answer
    firsts = sum(not isinstance(answer, Exception) and answer.first for answer in answers)
    pairs = zip(orders, answers, strict=True)
    return [one for one, answer in pairs if isinstance(answer, Exception)], firsts


async def test_payments_stand_in_their_messages_while_postgresql_is_down(stores, shop):
    orders = [await shop.reserve(user) for user in USERS[:40]]
    await shop.time_passes()
    await asyncio.to_thread(stores.stack.supervisor.kill_program, stores.stack.database.name)

    claimed = await shop.claim(USERS[50])
    for _ in range(3):  # a message comes again and again
        assert await deliver(shop, orders) == (orders, 0)
        with pytest.raises(ServiceUnavailable):
            await shop.expire()
    await asyncio.to_thread(stores.stack.start, stores.stack.database)

    waiting, applied = orders, 0
    async with asyncio.timeout(60):
        while waiting:
            waiting, firsts = await deliver(shop, waiting)
            applied += firsts
    assert applied == 40, "each payment is applied once"
    await shop.write(claimed)
    payments = await all_has_ended(shop, confirmed=40)
    assert set(payments.values()) == {("APPLIED", None)}
    assert await shop.status(claimed) == "EXPIRED"


async def test_payments_and_expiries_are_decided_while_redis_is_down(stores, shop):
    await sync_each_write(shop.services.redis)
    paid, late = [await shop.reserve(user) for user in USERS[:2]]
    await asyncio.to_thread(stores.stack.supervisor.kill_program, stores.stack.redis.name)

    for _ in range(2):  # the message comes again
        assert (await deliver(shop, [paid])) == ([paid], 0)
    assert await shop.status(paid) == "CONFIRMED"
    await shop.end_in_postgresql()
    with pytest.raises(ServiceUnavailable):
        await shop.expire()
    assert await shop.status(late) == "EXPIRED"
    await asyncio.to_thread(stores.stack.start, stores.stack.redis)

    await laws_hold(shop)
    assert await deliver(shop, [paid]) == ([], 0)
    payments = await all_has_ended(shop, confirmed=1)
    assert list(payments.values()) == [("APPLIED", None)]


async def test_the_provider_sends_everything_twice_in_reverse_and_late(shop):
    """Payments come before their order is written, in time, and after the hold has ended."""
    claims = [await shop.claim(user) for user in USERS[:60]]
    late, early, in_time = claims[:20], claims[20:40], claims[40:]
    for order in late:
        await shop.write(order)
    await shop.time_passes()
    await shop.expire()
    for order in in_time:
        await shop.write(order)

    async def send_twice(orders):
        twice = [*reversed(orders), *reversed(orders)]
        return await asyncio.gather(*(shop.pay(one) for one in twice))

    answers = [await send_twice(orders) for orders in (late, early, in_time)]
    for order in reversed(early):
        await shop.write(order)
    answers.append(await send_twice(random.Random(5).sample(claims, len(claims))))

    decided = [{(one.decision, one.why) for one in part} for part in answers[:3]]
    assert decided == [
        {(Decision.REFUND_DUE, RefundReason.LATE)},
        {(Decision.WAITING, None)},
        {(Decision.APPLIED, None)},
    ]
    assert [sum(one.first for one in part) for part in answers] == [20, 20, 20, 0]
    payments = await all_has_ended(shop, confirmed=40)
    assert sorted(payments.values(), key=str) == sorted(
        40 * [("APPLIED", None)] + 20 * [("REFUND_DUE", "late")], key=str
    )


async def test_redis_is_wiped_and_half_of_200_holds_paid_meanwhile(shop):
    orders = [await shop.claim(user) for user in USERS[:200]]
    for order in orders:
        await shop.write(order)
    await shop.services.redis.flushall()
    paying = asyncio.Semaphore(4)

    async def pay(order):
        async with paying:
            return await shop.pay(order)

    _, *paid = await asyncio.gather(
        rebuild(shop.services, [shop.product_id], lambda: 0, 60, grace=0.05),
        *(pay(order) for order in orders[::2]),
    )

    assert {one.decision for one in paid} == {Decision.APPLIED}
    await laws_hold(shop)
    payments = await all_has_ended(shop, confirmed=100)
    assert list(payments.values()) == 100 * [("APPLIED", None)]
