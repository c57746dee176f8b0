"""Concurrent script calls share round trips, and each gets its own answer."""

import asyncio

import pytest
from redis.asyncio import Redis

from flashsale.redis_store.scripts import Keys, Script


@pytest.fixture
async def decrement(services):
    script = Script(services.redis, "decrement")

    async def units_left(keys, args):
        sale = keys[0].replace(":stock", ":sale")
        (left,) = await script([*keys, sale], [*args, 4])
        return left

    return units_left


async def test_concurrent_calls_share_round_trips_and_get_own_answers(
    decrement, services, new_product, monkeypatch
):
    product_id = await new_product(50)
    keys = [Keys(product_id).stock]
    trips = 0
    pipeline = Redis.pipeline

    def counted(*args, **kwargs):
        nonlocal trips
        trips += 1
        return pipeline(*args, **kwargs)

    monkeypatch.setattr(Redis, "pipeline", counted)

    answers = await asyncio.gather(*(decrement(keys, [1]) for _ in range(60)))

    assert sorted(answers) == [-1] * 10 + list(range(50))
    assert trips < 5


async def test_each_call_runs_once_after_redis_lost_the_script(decrement, services, new_product):
    product_id = await new_product(10)
    await services.redis.script_flush()

    answers = await asyncio.gather(*(decrement([Keys(product_id).stock], [1]) for _ in range(4)))

    assert sorted(answers) == [6, 7, 8, 9]


async def test_a_cancelled_caller_does_not_affect_the_others(decrement, new_product):
    product_id = await new_product(10)
    keys = [Keys(product_id).stock]
    leaving, staying = (asyncio.create_task(decrement(keys, [1])) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == 8


async def test_an_error_reaches_only_its_caller(decrement, new_product):
    product_id = await new_product(10)
    good, bad = await asyncio.gather(
        decrement([Keys(product_id).stock], [1]),
        decrement([Keys(product_id).sale], [1]),  # a hash, not a number
        return_exceptions=True,
    )

    assert good == 9
    assert "WRONGTYPE" in str(bad)
