"""The process that claims or relays is killed; SQS rejects calls, or its answers are lost."""

import asyncio
import hashlib

import pytest
from redis import Redis

from flashsale.redis_store.scripts import LUA, Keys
from tests.helpers.proxy import Fault, When, kill_client
from tests.helpers.support import USERS

# Bytes that identify a claim and a batch of messages.
CLAIM = hashlib.sha1((LUA / "claim.lua").read_bytes(), usedforsecurity=False).hexdigest().encode()
SEND = b"SendMessageBatch"


async def test_the_claimer_dies_right_after_the_claim(shop, services, new_product):
    product_id = await new_product(60)
    sold = await shop.sell(product_id, USERS[:10])
    fault = shop.proxies["web.redis"].fault = Fault(CLAIM, When.AFTER, kill_client)

    sold += await shop.sell(product_id, USERS[10:30])

    assert fault.struck == 1
    assert sold.unanswered, "a killed process answers nobody"
    await asyncio.to_thread(_await_workers, shop)
    sold += await shop.sell(product_id, USERS[30:80])
    books = await shop.keeps_its_guarantees(services, product_id, sold)
    claimed = books.confirmed + books.cancelled
    assert claimed > len(sold.order_ids), "some claims had no answer"


@pytest.mark.parametrize(
    ("when", "skip"),
    [(When.BEFORE, 0), (When.BEFORE, 1), (When.AFTER, 0)],
    ids=["before", "between", "after"],
)
async def test_the_relay_dies_around_its_sends(shop, services, new_product, carrier, when, skip):
    product_id = await new_product(60)
    fault = Fault(SEND, when, kill_client, skip=skip)
    shop.proxies[f"{carrier}.sqs"].fault = fault
    sold = await shop.sell(product_id, USERS[:20])
    await asyncio.sleep(
        0.2
    )  # longer than the relay waits for more claims, so that there is a second batch
    sold += await shop.sell(product_id, USERS[20:30])

    async with asyncio.timeout(30):
        while not fault.struck:
            sold += await shop.sell(product_id, USERS[30:31])
    if carrier == "relay":
        shop.stack.start(shop.relay)
    else:
        await asyncio.to_thread(_await_workers, shop)
    sold += await shop.sell(product_id, USERS[40:90])
    await shop.keeps_its_guarantees(services, product_id, sold)


async def test_the_leader_dies_holding_the_lease(shop, services, new_product):
    product_id = await new_product(60)
    killed = asyncio.Event()

    def strike(port):
        with Redis.from_url(shop.target.redis_url) as redis:
            held = redis.exists(Keys(product_id).lease)
        if held:  # on a busy machine the leader may have lost it before it sends, and sends again
            fault.times = fault.struck
            kill_client(port)
            killed.set()

    fault = shop.proxies["relay.sqs"].fault = Fault(SEND, When.BEFORE, strike, times=100)
    sold = await shop.sell(product_id, USERS[:60])

    async with asyncio.timeout(30):
        while not killed.is_set():
            await asyncio.sleep(0.05)
    # Without a relay process, the web workers take over when the lease has expired.
    sold += await shop.sell(product_id, USERS[60:80])
    await shop.keeps_its_guarantees(services, product_id, sold)


@pytest.mark.parametrize("when", When)
async def test_sqs_rejects_calls_or_its_answers_are_lost(
    shop, services, new_product, carrier, when
):
    product_id = await new_product(60)
    fault = shop.proxies[f"{carrier}.sqs"].fault = Fault(SEND, when, times=5)

    sold = await shop.sell(product_id, USERS[:80])

    await shop.keeps_its_guarantees(services, product_id, sold)
    assert fault.struck >= 1


def _await_workers(shop):
    """Wait until granian has replaced a killed worker."""
    shop.stack.start(shop.web)
