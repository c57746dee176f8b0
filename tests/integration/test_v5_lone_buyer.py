"""A leader whose claim is alone does not linger: behind Mangum its buyer waits for it."""

import asyncio
from dataclasses import replace

import pytest

from flashsale.domain.claims import Claim
from flashsale.usecases.relay import LAMBDA_PACE, TOKEN, relay
from tests.helpers.queued import Queue
from tests.helpers.support import USERS

# A leader that lingers does not end in a test.
PATIENT = replace(LAMBDA_PACE, linger=3600.0, bound=3600.0)
# Its lease outlasts each stall of this machine.
LEASE_MS = 3_600_000


class BusyQueue(Queue):
    """A queue; more buyers claim while it takes a call."""

    def __init__(self, services, product_id, users):
        super().__init__()
        self._services, self._product_id, self._users = services, product_id, users

    async def send(self, bodies):
        await super().send(bodies)
        users, self._users = self._users, []
        await sell(self._services, self._product_id, users)


async def sell(services, product_id, users):
    return [
        await services.ledger.claim(Claim(product_id, user, 1), TOKEN, LEASE_MS) for user in users
    ]


@pytest.fixture
async def product_id(new_product):
    return await new_product(10)


async def test_a_lone_claim_is_sent_without_a_pause(services, product_id):
    services.order_queue = Queue()
    await sell(services, product_id, USERS[:1])

    async with asyncio.timeout(60):
        assert await relay(services, product_id, PATIENT) == 1

    (following,) = await sell(services, product_id, USERS[1:2])
    assert following.leader


async def test_a_claim_that_came_meanwhile_is_sent_at_once(services, product_id):
    services.order_queue = queue = BusyQueue(services, product_id, USERS[1:2])
    await sell(services, product_id, USERS[:1])

    async with asyncio.timeout(60):
        assert await relay(services, product_id, PATIENT) == 2

    assert queue.calls == 2


async def test_claims_in_company_wait_for_more(services, product_id):
    services.order_queue = queue = BusyQueue(services, product_id, USERS[2:5])
    await sell(services, product_id, USERS[:2])

    # The three claims come during the first call, and the leader pauses before the next one.
    assert await relay(services, product_id, replace(LAMBDA_PACE, linger=0.01)) == 5
    assert queue.calls == 2


async def test_a_server_lingers_for_a_lone_claim_too(services, product_id):
    services.order_queue = Queue()
    await sell(services, product_id, USERS[:1])
    relaying = asyncio.create_task(relay(services, product_id, replace(PATIENT, stops_alone=False)))
    async with asyncio.timeout(60):
        while not services.order_queue.calls:
            await asyncio.sleep(0.01)

    (following,) = await sell(services, product_id, USERS[1:2])
    relaying.cancel()

    assert not following.leader
