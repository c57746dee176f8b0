"""A process that was told "sold out" says so by itself for a moment, and never wrongly sells."""

import uuid
from dataclasses import replace

import pytest

from flashsale.config import Rate
from flashsale.domain.claims import RateLimited, SaleState
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import Refusal, SoldBy, Terms
from flashsale.errors import StockUnavailable
from flashsale.redis_store.sold_out import SoldOut
from flashsale.services import Services
from tests.helpers.support import USERS
from tests.integration.refusals import Clock, buy, commands

pytestmark = pytest.mark.usefixtures("clock")
GENERATIONS = (3, 4, 5)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_the_second_refusal_sends_nothing_to_redis(services, new_product, generation):
    product_id = await new_product(0)
    first = await buy(services, product_id, generation)
    before = await commands(services)

    later = [await buy(services, product_id, generation, user=user) for user in USERS[:50]]

    assert {first, *later} == {Refusal.SOLD_OUT}
    assert await commands(services) == before


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_units_that_return_are_for_sale_200_ms_later(
    services, clock, other, new_product, generation
):
    product_id = await new_product(0)
    assert await buy(services, product_id, generation) is Refusal.SOLD_OUT
    await other.stock.restock(product_id, 5)

    clock.seconds = 0.199
    still = await buy(services, product_id, generation)
    clock.seconds = 0.2
    then = await buy(services, product_id, generation)

    assert still is Refusal.SOLD_OUT
    assert isinstance(then, str)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_more_units_than_are_left_are_not_sold_out_for_one(services, new_product, generation):
    product_id = await new_product(1)

    two = await buy(services, product_id, generation, quantity=2)
    one = await buy(services, product_id, generation)

    assert two is Refusal.SOLD_OUT
    assert isinstance(one, str)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_without_one_unit_there_are_not_two(services, new_product, generation):
    product_id = await new_product(0)
    await buy(services, product_id, generation)
    before = await commands(services)

    assert await buy(services, product_id, generation, quantity=2) is Refusal.SOLD_OUT
    assert await commands(services) == before


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_paused_sale_sells_at_once_when_it_is_resumed(
    services, other, new_product, generation
):
    product_id = await new_product(2)
    await other.stock.pause_sale(product_id)
    assert await buy(services, product_id, generation) is Refusal.SALE_NOT_OPEN

    await other.stock.resume_sale(product_id)

    assert isinstance(await buy(services, product_id, generation), str)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_product_sells_at_once_when_it_is_opened(services, other, new_product, generation):
    product_id = await new_product(2, on_sale=False)
    assert await buy(services, product_id, generation) is Refusal.NO_SUCH_PRODUCT

    await other.stock.open_sale(product_id, 2)

    assert isinstance(await buy(services, product_id, generation), str)


async def test_the_purchase_limit_of_one_buyer_stops_no_other(services, new_product):
    product_id = await new_product(5, on_sale=False)
    await services.stock.open_sale(product_id, 5, Terms(limit_per_buyer=1))
    await buy(services, product_id, 5)

    assert await buy(services, product_id, 5) is Refusal.PURCHASE_LIMIT
    assert isinstance(await buy(services, product_id, 5, user=USERS[1]), str)


async def test_another_generation_is_told_whose_product_it_is(services, new_product):
    product_id = await new_product(1)
    await buy(services, product_id, 5)
    assert await buy(services, product_id, 5) is Refusal.SOLD_OUT

    assert await buy(services, product_id, 4) == SoldBy(product_id, 5)


async def released_v4(services, product_id):
    await services.stock.release(product_id, [QueuedOrder(
        id=uuid.uuid4().hex, product_id=product_id, user_id=USERS[0], generation=4,
    )])  # fmt: skip


async def released_v5(services, product_id):
    await services.ledger.release(product_id, await services.ledger.take_unsent(product_id, 1))


async def given_back(services, product_id):
    (order,) = await services.ledger.take_unsent(product_id, 1)
    await services.ledger.give_back(order)


async def restocked(services, product_id):
    await services.stock.restock(product_id, 2)


async def resumed(services, product_id):
    await services.stock.pause_sale(product_id)
    (order,) = await services.ledger.take_unsent(product_id, 1)
    other = Services(services.settings)
    await other.ledger.release(product_id, [order])
    await other.close()
    await services.stock.resume_sale(product_id)


async def opened(services, product_id):
    await services.stock.pause_sale(product_id, SaleState.ENDED)
    await services.stock.open_sale(product_id, 1, again=True)


@pytest.mark.parametrize(
    ("generation", "returned"),
    [(4, released_v4), (5, released_v5), (5, given_back), (5, restocked), (5, resumed),
     (5, opened)],
)  # fmt: skip
async def test_a_process_sells_at_once_what_it_returns_itself(
    services, new_product, generation, returned
):
    product_id = await new_product(1)
    await buy(services, product_id, generation)
    assert await buy(services, product_id, generation, user=USERS[1]) is Refusal.SOLD_OUT

    await returned(services, product_id)

    assert isinstance(await buy(services, product_id, generation, user=USERS[1]), str)


async def test_a_refusal_takes_no_token_and_a_rate_limit_is_not_kept(services, new_product):
    limited = Services(replace(services.settings, rate_limits={"user": Rate(1, 60)}))
    limited.sold_out = SoldOut(200, clock := Clock())
    product_id = await new_product(0)

    first = [await buy(limited, product_id, 5, user=USERS[0]) for _ in range(5)]
    clock.seconds = 0.2
    over = await buy(limited, product_id, 5, user=USERS[0])
    await services.stock.restock(product_id, 5)
    another = await buy(limited, product_id, 5, user=USERS[1])
    await limited.close()

    assert first == [Refusal.SOLD_OUT] * 5
    assert isinstance(over, RateLimited)
    assert isinstance(another, str)


async def test_while_redis_is_down_only_a_key_needs_it(without):
    services = without("redis_url")
    services.sold_out = SoldOut(200, Clock())
    for product_id, generation in (("p", 5), ("q", 4), ("r", 3)):
        services.sold_out.remember(product_id, generation)
        assert await buy(services, product_id, generation) is Refusal.SOLD_OUT

    with pytest.raises(StockUnavailable):
        await buy(services, "p", 5, key="k")
