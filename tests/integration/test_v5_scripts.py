"""The scripts of V5 on a real Valkey are atomic and idempotent, and keep all limits."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Refusal, Terms
from flashsale.redis_store.scripts import Keys
from tests.helpers.support import USERS
from tests.integration.v5_claims import buy


@pytest.fixture
def ledger(services):
    return services.ledger


async def dump(services, product_id):
    """Return all that Redis holds of a product, to compare before and after."""
    keys = Keys(product_id)
    redis = services.redis
    return (
        await redis.get(keys.stock),
        await redis.xrange(keys.ledger),
        await redis.hgetall(keys.sale),
        await redis.hgetall(keys.buyers),
        await redis.get(keys.lease),
    )


class TestClaim:
    async def test_takes_the_units_and_records_the_claim(self, ledger, new_product):
        product_id = await new_product(10)

        claimed = await buy(ledger, product_id, USERS[3], 2)

        assert isinstance(claimed, Claimed)
        assert claimed.remaining == 8
        assert claimed.order_id.startswith(f"{product_id}:")
        (order,) = await ledger.take_unsent(product_id, 10)
        assert (order.id, order.user_id, order.quantity) == (claimed.order_id, USERS[3], 2)
        assert order.correlation_id == "corr"
        snapshot = await ledger.snapshot(product_id, count_claims=True)
        assert (snapshot.stock, snapshot.unsettled, snapshot.accepted) == (8, 2, 2)
        assert snapshot.balanced

    @pytest.mark.parametrize(
        ("terms", "quantity", "refusal"),
        [
            (Terms(), 11, Refusal.SOLD_OUT),
            (Terms(limit_per_buyer=2), 3, Refusal.PURCHASE_LIMIT),
            (
                Terms(starts_at=datetime.now(UTC) + timedelta(hours=1)),
                1,
                Refusal.SALE_NOT_OPEN,
            ),
            (Terms(ends_at=datetime.now(UTC) - timedelta(hours=1)), 1, Refusal.SALE_NOT_OPEN),
        ],
    )
    async def test_a_rejection_changes_nothing(
        self, services, ledger, new_product, terms, quantity, refusal
    ):
        product_id = await new_product(10, on_sale=False)
        await services.stock.open_sale(product_id, 10, terms)
        before = await dump(services, product_id)

        assert await buy(ledger, product_id, quantity=quantity, key=product_id) is refusal

        assert await dump(services, product_id) == before

    async def test_a_product_that_is_not_on_sale(self, ledger):
        assert await buy(ledger, "no-such-product") is Refusal.NO_SUCH_PRODUCT

    async def test_inside_its_window_a_sale_is_open(self, services, ledger, new_product):
        product_id = await new_product(1, on_sale=False)
        now = datetime.now(UTC)
        window = Terms(now - timedelta(minutes=1), now + timedelta(minutes=1))
        await services.stock.open_sale(product_id, 1, window)

        assert isinstance(await buy(ledger, product_id), Claimed)

    async def test_100_buyers_at_once_for_10_units(self, ledger, new_product):
        product_id = await new_product(10)

        answers = await asyncio.gather(*(buy(ledger, product_id, user) for user in USERS[:100]))

        won = [a for a in answers if isinstance(a, Claimed)]
        assert len(won) == 10
        assert len({a.order_id for a in won}) == 10
        assert sum(a.leader for a in won) == 1
        assert (await ledger.snapshot(product_id, count_claims=True)).balanced

    async def test_the_limit_holds_for_concurrent_claims_of_one_buyer(
        self, services, ledger, new_product
    ):
        product_id = await new_product(100, on_sale=False)
        await services.stock.open_sale(product_id, 100, Terms(limit_per_buyer=3))

        answers = await asyncio.gather(*(buy(ledger, product_id) for _ in range(20)))

        assert sum(isinstance(a, Claimed) for a in answers) == 3
        assert answers.count(Refusal.PURCHASE_LIMIT) == 17


class TestIdempotency:
    async def test_the_same_key_claims_once_even_concurrently(self, ledger, new_product):
        product_id = await new_product(10)

        answers = await asyncio.gather(*(buy(ledger, product_id, key="at-once") for _ in range(20)))

        assert len({(a.order_id, a.remaining) for a in answers}) == 1
        assert sum(a.leader for a in answers) == 1
        assert (await ledger.snapshot(product_id, count_claims=True)).accepted == 1

    async def test_the_same_key_with_another_request_is_rejected(self, ledger, new_product):
        first, second = await new_product(10), await new_product(10)
        await buy(ledger, first, key="key-1")

        assert await buy(ledger, first, quantity=2, key="key-1") is Refusal.KEY_REUSED
        assert await buy(ledger, second, key="key-1") is Refusal.KEY_REUSED
        assert (await ledger.snapshot(second, count_claims=True)).accepted == 0

    async def test_another_users_key_never_replays(self, ledger, new_product):
        product_id = await new_product(10)

        mine = await buy(ledger, product_id, USERS[0], key="shared")
        theirs = await buy(ledger, product_id, USERS[1], key="shared")

        assert mine.order_id != theirs.order_id
        assert (await ledger.snapshot(product_id, count_claims=True)).accepted == 2

    async def test_keys_of_two_users_do_not_collide(self, ledger, new_product):
        product_id = await new_product(10)

        await buy(ledger, product_id, USERS[0], key="common")

        assert isinstance(await buy(ledger, product_id, USERS[1], 2, key="common"), Claimed)


class TestSettleAndRelease:
    async def claimed(self, ledger, product_id, count=3, quantity=2):
        for user in USERS[:count]:
            await buy(ledger, product_id, user, quantity)
        return await ledger.take_unsent(product_id, 100)

    async def test_settling_twice_counts_once(self, ledger, new_product):
        product_id = await new_product(10)
        orders = await self.claimed(ledger, product_id)

        assert await ledger.settle(product_id, orders) == 6
        assert await ledger.settle(product_id, orders) == 0

        snapshot = await ledger.snapshot(product_id, count_claims=True)
        assert (snapshot.settled, snapshot.unsettled, snapshot.balanced) == (6, 0, True)

    async def test_releasing_returns_units_once_even_concurrently(self, ledger, new_product):
        product_id = await new_product(10)
        (order, *_) = await self.claimed(ledger, product_id)

        answers = await asyncio.gather(*(ledger.release(product_id, [order]) for _ in range(8)))

        assert sorted(answers) == [0] * 7 + [2]
        snapshot = await ledger.snapshot(product_id, count_claims=True)
        assert (snapshot.stock, snapshot.released, snapshot.balanced) == (6, 2, True)

    async def test_a_settled_claim_cannot_be_released(self, ledger, new_product):
        product_id = await new_product(10)
        orders = await self.claimed(ledger, product_id)
        await ledger.settle(product_id, orders)

        assert await ledger.release(product_id, orders[:1]) == 0

        assert (await ledger.snapshot(product_id, count_claims=True)).stock == 4

    async def test_many_claims_in_few_steps_are_released_once_each(
        self, ledger, new_product, monkeypatch
    ):
        monkeypatch.setattr("flashsale.redis_store.ledger.CLAIMS_PER_SCRIPT", 3)
        product_id = await new_product(20)
        orders = await self.claimed(ledger, product_id, count=8)
        await ledger.settle(product_id, orders[:1])
        await ledger.release(product_id, orders[1:2])

        assert await ledger.release(product_id, [*orders, *orders]) == 12

        snapshot = await ledger.snapshot(product_id, count_claims=True)
        assert (snapshot.stock, snapshot.settled, snapshot.released) == (18, 2, 14)
        assert snapshot.balanced

    async def test_a_release_restores_the_purchase_limit(self, services, ledger, new_product):
        product_id = await new_product(10, on_sale=False)
        await services.stock.open_sale(product_id, 10, Terms(limit_per_buyer=2))
        await buy(ledger, product_id, quantity=2)
        assert await buy(ledger, product_id) is Refusal.PURCHASE_LIMIT
        (order,) = await ledger.take_unsent(product_id, 10)

        await ledger.release(product_id, [order])

        assert isinstance(await buy(ledger, product_id), Claimed)
