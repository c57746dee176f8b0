"""How often the sweep resends a claim: often enough to lose none, and no more."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from flashsale.domain.claims import Claim
from flashsale.domain.messages import orders_of_message
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import (
    LAMBDA_PACE,
    LEASE_MS,
    PATIENCE,
    PROCESS_PACE,
    TOKEN,
    relay,
    sweep,
)
from tests.helpers.queued import Queue, books_of
from tests.helpers.support import USERS

BUYERS = USERS[:30]


@pytest.fixture
def queue(services):
    services.order_queue = Queue()
    return services.order_queue


@pytest.fixture
async def relayed(services, queue, new_product):
    """Return a product with 30 claims that were each sent once."""
    product_id = await new_product(100)
    for user in BUYERS:
        await services.ledger.claim(Claim(product_id, user, 1), TOKEN, LEASE_MS)
    await relay(services, product_id, LAMBDA_PACE)
    services.settings = replace(services.settings, sweep_after=0)
    return product_id


def copies(messages):
    """Return how often each claim was sent."""
    return Counter(order.id for message in messages for order in orders_of_message(message.body))


async def make_idle(services, product_id, seconds):
    """Make all deliveries in the ledger that much older, without changing their number."""
    ledger = Keys(product_id).ledger
    for claim in await services.redis.xpending_range(ledger, "relay", "-", "+", 1000):
        await services.redis.execute_command(
            "XCLAIM", ledger, "relay", "relay", 0, claim["message_id"],
            "IDLE", seconds * 1000, "RETRYCOUNT", claim["times_delivered"], "JUSTID",
        )  # fmt: skip


async def age(services, product_id, seconds):
    ledger = Keys(product_id).ledger
    pending = await services.redis.xpending_range(ledger, "relay", "-", "+", 1)
    idle = pending[0]["time_since_delivered"] // 1000
    await make_idle(services, product_id, idle + seconds)


async def test_a_stuck_queue_gets_each_claim_twice(services, queue, relayed):
    for _ in range(10):
        await sweep(services, product_ids=[relayed])

    assert set(copies(queue.messages).values()) == {2}


async def test_a_queue_stuck_for_long_gets_a_copy_for_each_parked_one(services, queue, relayed):
    sent_after = []
    for minute in range(30):  # on a clock that moves only here
        before = len(queue.messages)
        await sweep(services, product_ids=[relayed])
        sent_after += [minute] if len(queue.messages) > before else []
        await age(services, relayed, 60)

    assert sent_after == [0, 5, 10, 15, 20, 25]


async def test_nothing_is_sent_again_while_postgresql_is_down(services, queue, relayed, without):
    down = without("database_url")
    down.order_queue, down.settings = queue, replace(down.settings, sweep_after=0)

    for _ in range(3):
        assert await sweep(down, product_ids=[relayed]) == 0
    assert set(copies(queue.messages).values()) == {1}

    assert await sweep(services, product_ids=[relayed]) == len(BUYERS)


async def test_while_postgresql_is_down_a_copy_follows_each_parked_one(
    services, queue, relayed, without
):
    down = without("database_url")
    down.order_queue, down.settings = queue, replace(down.settings, sweep_after=0)

    for _ in range(3):
        await make_idle(services, relayed, PATIENCE)
        assert await sweep(down, product_ids=[relayed]) == len(BUYERS)
        assert await sweep(down, product_ids=[relayed]) == 0


async def test_claims_made_while_postgresql_is_down_are_sent_once(
    services, queue, new_product, without
):
    down = without("database_url")
    down.order_queue, down.settings = queue, replace(down.settings, sweep_after=0)
    product_id = await new_product(5)
    await services.ledger.claim(Claim(product_id, BUYERS[0], 1), TOKEN, LEASE_MS)

    for _ in range(3):
        await sweep(down, product_ids=[product_id])

    assert list(copies(queue.messages).values()) == [1]


async def test_nothing_is_sent_again_while_sqs_gives_no_message_count(services, queue, relayed):
    queue.is_silent = True
    assert await sweep(services, product_ids=[relayed]) == 0

    queue.is_silent = False
    assert await sweep(services, product_ids=[relayed]) == len(BUYERS)


async def test_claims_that_a_queue_lost_twice_are_sent_again_at_once(services, queue, relayed):
    for _ in range(3):
        queue.take()  # lost
        assert await sweep(services, product_ids=[relayed]) == len(BUYERS)

    await place_orders(services, queue.take())
    assert (await books_of(services, relayed)).confirmed == len(BUYERS)


async def test_claims_lost_twice_are_sent_after_minutes_if_others_wait(services, queue, relayed):
    await sweep(services, product_ids=[relayed])
    queue.messages = queue.messages[:1]  # one copy is left and is never processed
    assert await sweep(services, product_ids=[relayed]) == 0

    await make_idle(services, relayed, PATIENCE)

    assert await sweep(services, product_ids=[relayed]) == len(BUYERS)


async def test_with_empty_queues_the_pause_between_copies_is_limited(services, queue, relayed):
    services.settings = replace(services.settings, sweep_after=60)
    for _ in range(6):
        await make_idle(services, relayed, PATIENCE)
        queue.take()
        assert await sweep(services, product_ids=[relayed]) == len(BUYERS)
        assert await sweep(services, product_ids=[relayed]) == 0


async def test_concurrent_sweeps_send_each_claim_once(services, queue, relayed):
    await asyncio.gather(*(sweep(services, product_ids=[relayed]) for _ in range(4)))

    assert set(copies(queue.messages).values()) == {2}


async def test_claims_that_a_crashed_sweep_took_are_sent_by_the_next(services, queue, relayed):
    waits, queue.messages = [0], []
    async for _ in services.ledger.take_overdue(relayed, waits, 1000):
        break  # and the process crashes

    assert await sweep(services, product_ids=[relayed]) == len(BUYERS)


async def test_more_claims_than_one_page_are_all_sent_once(services, queue, relayed):
    taken = [
        order.id
        async for orders in services.ledger.take_overdue(relayed, [0, 60_000], 7)
        for order in orders
    ]

    assert len(taken) == len(set(taken)) == len(BUYERS)


@pytest.mark.parametrize("pace", [LAMBDA_PACE, PROCESS_PACE], ids=["Lambda", "relay process"])
async def test_a_relay_that_gets_no_answers_sends_a_claim_twice(services, queue, new_product, pace):
    product_id = await new_product(5)
    for user in BUYERS[:5]:
        await services.ledger.claim(Claim(product_id, user, 1), TOKEN, LEASE_MS)
    queue.loses_answers = True

    async with asyncio.timeout(60):
        assert await relay(services, product_id, pace) == 0

    assert set(copies(queue.messages).values()) == {2}
    assert await services.ledger.renew_lease(product_id, "the next leader", LEASE_MS)
