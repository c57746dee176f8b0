"""V5 from the ledger to PostgreSQL and back, on real stores. Only SQS is a list.

tests/e2e covers a real SQS.
"""

import asyncio
import random
from dataclasses import replace

import pytest

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.messages import orders_of_message
from flashsale.domain.model import OrderStatus
from flashsale.usecases import relay as relaying
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LAMBDA_PACE, LEASE_MS, TOKEN, Pace, relay, sweep
from tests.helpers.queued import Queue, books_of
from tests.helpers.support import USERS, until


@pytest.fixture
def queue(services):
    services.order_queue = Queue()
    return services.order_queue


@pytest.fixture
def stale_at_once(services):
    services.settings = replace(services.settings, sweep_after=0)


async def sell(services, product_id, users, quantity=1):
    return [
        await services.ledger.claim(Claim(product_id, user, quantity), TOKEN, LEASE_MS)
        for user in users
    ]


async def test_a_burst_becomes_orders(services, queue, new_product):
    product_id = await new_product(50)
    claims = await sell(services, product_id, USERS[:60])

    assert await relay(services, product_id, LAMBDA_PACE) == 50
    outcome = await place_orders(services, queue.take())

    assert queue.calls == 1, "one SQS call for all of them"
    assert {o.id for o in outcome.confirmed} == {
        c.order_id for c in claims if isinstance(c, Claimed)
    }
    books = await books_of(services, product_id)
    assert (books.confirmed, books.unsettled, books.lost, books.balanced) == (50, 0, 0, True)
    assert (books.ledger.settled, books.postgres_stock) == (50, 0)


async def test_a_leader_that_finished_is_followed_at_once(services, queue, new_product):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:1])

    await relay(services, product_id, LAMBDA_PACE)

    (next_claim,) = await sell(services, product_id, USERS[1:2])
    assert next_claim.leader


async def test_many_claims_fill_envelopes_and_calls(services, queue, new_product, monkeypatch):
    monkeypatch.setattr(relaying, "CLAIMS_PER_ENVELOPE", 7)
    monkeypatch.setattr(relaying, "CLAIMS_PER_CALL", 70)
    product_id = await new_product(200)
    await sell(services, product_id, USERS[:150])

    assert await relay(services, product_id, LAMBDA_PACE) == 150

    assert queue.calls == 3
    assert len(queue.messages) == 22  # 10 and 10 full envelopes, then 10 claims in two
    outcome = await place_orders(services, queue.take())
    assert len(outcome.confirmed) == 150


async def test_claims_that_come_while_the_leader_relays_are_relayed(services, queue, new_product):
    product_id = await new_product(300)
    (first,) = await sell(services, product_id, USERS[:1])
    assert first.leader

    relayed, _ = await asyncio.gather(
        relay(services, product_id, LAMBDA_PACE), sell(services, product_id, USERS[1:200])
    )

    # A claimer after the leader finished was told to lead.
    relayed += await relay(services, product_id, LAMBDA_PACE) if relayed < 200 else 0

    outcome = await place_orders(services, queue.take())
    assert (relayed, len(outcome.confirmed)) == (200, 200)
    assert (await books_of(services, product_id)).balanced


async def test_a_leader_hands_over_after_its_limit(services, queue, new_product):
    product_id = await new_product(10)
    await sell(services, product_id, USERS[:1])
    hurried = Pace(linger=0.05, bound=0.0)

    async def take_over():
        while True:
            if (await services.ledger.claim(Claim(product_id, USERS[1], 1), "next", 60_000)).leader:
                return

    async with asyncio.timeout(60):
        await asyncio.gather(relay(services, product_id, hurried), take_over())

    assert await services.ledger.renew_lease(product_id, "next", 60_000)


async def test_a_claim_that_was_never_relayed_is_swept(services, queue, new_product, stale_at_once):
    product_id = await new_product(5)
    await services.ledger.claim(Claim(product_id, USERS[0], 1), "dead leader", 1)

    async with asyncio.timeout(60):
        while not queue.messages:  # until the lease of the crashed leader has expired
            await sweep(services, product_ids=[product_id])

    await place_orders(services, queue.take())
    assert (await books_of(services, product_id)).confirmed == 1


async def test_a_fresh_claim_that_the_sweep_relays_is_no_orphan(services, queue, new_product):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:3])
    await services.ledger.renew_lease(product_id, TOKEN, 0)

    assert await sweep(services, product_ids=[product_id]) == 0

    assert [len(orders_of_message(message.body)) for message in queue.messages] == [3]


async def test_what_sqs_refuses_is_sent_again_by_its_leader(services, queue, new_product):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:3])
    queue.refuses = True
    leading = asyncio.create_task(relay(services, product_id, Pace(linger=0.01, bound=30.0)))
    await until(lambda: asyncio.sleep(0, queue.calls))
    queue.refuses = False

    assert await leading == 3

    assert [len(orders_of_message(message.body)) for message in queue.messages] == [3]


@pytest.mark.parametrize("fault", ["refuses", "loses_answers"])
async def test_sqs_rejects_a_message_or_its_answer_is_lost(
    services, queue, new_product, stale_at_once, fault
):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:3])
    setattr(queue, fault, True)
    await relay(services, product_id, LAMBDA_PACE)
    setattr(queue, fault, False)
    assert (await services.ledger.snapshot(product_id, count_claims=True)).unsettled == 3

    await sweep(services, product_ids=[product_id])
    await place_orders(services, queue.take())

    books = await books_of(services, product_id)
    assert (books.confirmed, books.unsettled, books.balanced) == (3, 0, True)


async def test_a_purged_queue_loses_nothing(services, queue, new_product, stale_at_once):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:5])
    await relay(services, product_id, LAMBDA_PACE)
    queue.take()  # gone

    await sweep(services, product_ids=[product_id])
    await place_orders(services, queue.take())

    assert (await books_of(services, product_id)).confirmed == 5


async def test_duplicate_late_and_unordered_messages(services, queue, new_product, stale_at_once):
    product_id = await new_product(
        40, in_redis=50
    )  # more than PostgreSQL has, so some must be released
    await sell(services, product_id, USERS[:45])
    await relay(services, product_id, LAMBDA_PACE)
    await sweep(services, product_ids=[product_id])
    messages = queue.take() * 3
    random.Random(7).shuffle(messages)

    await asyncio.gather(*(place_orders(services, [m]) for m in messages))

    books = await books_of(services, product_id)
    assert (books.confirmed, books.cancelled, books.oversold) == (40, 5, 0)
    assert (books.unsettled, books.redis_stock) == (0, 10)
    assert books.ledger.balanced


async def test_a_crash_between_commit_and_settle(services, queue, new_product, stale_at_once):
    product_id = await new_product(3)
    await sell(services, product_id, USERS[:3])
    orders = await services.ledger.take_unsent(product_id, 10)
    await services.orders.write_batch(orders)  # and the process crashes
    assert (await services.ledger.snapshot(product_id, count_claims=True)).unsettled == 3

    await sweep(services, product_ids=[product_id])
    await place_orders(services, queue.take())

    books = await books_of(services, product_id)
    assert (books.confirmed, books.unsettled, books.balanced) == (3, 0, True)


async def test_only_the_invalid_claim_of_an_envelope_is_forwarded(services, queue, new_product):
    product_id = await new_product(10)
    await sell(services, product_id, [*USERS[:4], "nobody", *USERS[4:6]])
    await relay(services, product_id, LAMBDA_PACE)

    outcome = await place_orders(services, queue.take())

    assert (len(outcome.confirmed), outcome.failures) == (6, [])
    (alone,) = queue.take()
    failed = await place_orders(services, [alone])
    assert [failure.message_id for failure in failed.failures] == [alone.id]
    rolled_back = await compensate(services, [alone])
    again = await compensate(services, [alone])
    assert (rolled_back.released, again.released) == (1, 0)
    books = await books_of(services, product_id)
    assert (books.confirmed, books.redis_stock, books.balanced) == (6, 4, True)


async def test_order_and_rollback_race_for_whole_envelopes(services, queue, new_product):
    product_id = await new_product(200)
    for user in USERS[:100]:
        await sell(services, product_id, [user])
        await relay(services, product_id, Pace(linger=0, bound=1))
    messages = queue.take()

    for message in messages:
        await asyncio.gather(place_orders(services, [message]), compensate(services, [message]))

        snapshot = await services.ledger.snapshot(product_id, count_claims=True)
        assert snapshot.balanced

    books = await books_of(services, product_id)
    assert books.confirmed + books.cancelled == 100
    assert books.confirmed == books.ledger.settled
    assert (books.redis_stock, books.unsettled) == (200 - books.confirmed, 0)


async def test_the_status_of_an_order(services, queue, new_product):
    product_id = await new_product(1)
    (claimed,) = await sell(services, product_id, USERS[:1])
    entry_id = claimed.order_id.rpartition(":")[2]

    assert await services.ledger.get(product_id, entry_id)
    assert await services.orders.get(claimed.order_id) is None
    await relay(services, product_id, LAMBDA_PACE)
    await place_orders(services, queue.take())

    assert not await services.ledger.get(product_id, entry_id)
    assert (await services.orders.get(claimed.order_id)).status is OrderStatus.CONFIRMED
