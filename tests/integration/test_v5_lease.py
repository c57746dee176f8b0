"""The lease of V5 on a real Valkey: one process relays, and a crashed one is replaced."""

import asyncio

import pytest

from tests.helpers.support import USERS
from tests.integration.v5_claims import LEASE, OTHER, TOKEN, buy, claim


@pytest.fixture
def ledger(services):
    return services.ledger


class TestLease:
    async def test_only_the_first_claimer_is_told_to_relay(self, ledger, new_product):
        product_id = await new_product(10)

        answers = [await buy(ledger, product_id, user) for user in USERS[:3]]

        assert [a.leader for a in answers] == [True, False, False]

    async def test_the_lease_is_kept_while_a_claim_is_unsent(self, ledger, new_product):
        product_id = await new_product(10)
        await buy(ledger, product_id)

        assert await ledger.drop_lease(product_id, TOKEN) is False
        await ledger.take_unsent(product_id, 10)
        assert await ledger.drop_lease(product_id, TOKEN) is True
        assert (await buy(ledger, product_id)).leader

    async def test_only_its_holder_can_drop_a_lease(self, ledger, new_product):
        product_id = await new_product(10)
        await buy(ledger, product_id)

        assert await ledger.renew_lease(product_id, OTHER, LEASE) is False
        assert (
            await ledger.drop_lease(product_id, OTHER) is True
        )  # it does not hold the lease, so it stops
        assert not (await buy(ledger, product_id)).leader

    async def test_the_lease_of_a_crashed_leader_expires(self, ledger, new_product):
        product_id = await new_product(1_000_000)  # more than can be sold in that time
        await ledger.claim(claim(product_id), TOKEN, 1)  # a lease of one millisecond

        async with asyncio.timeout(60):
            while not (await buy(ledger, product_id)).leader:
                pass

    async def test_a_lease_that_is_handed_over_goes_to_the_next_claimer(self, ledger, new_product):
        product_id = await new_product(10)
        await buy(ledger, product_id)

        await ledger.renew_lease(product_id, TOKEN, 0)

        assert (await ledger.claim(claim(product_id), OTHER, LEASE)).leader
        assert await ledger.renew_lease(product_id, TOKEN, LEASE) is False
