"""A waiting room calls as fast as it may, and slower while orders are late."""

import asyncio
from itertools import pairwise

import pytest

from flashsale.domain.rooms import Why
from flashsale.redis_store.scripts import Keys
from tests.integration.room_sale import call, guard, now, pass_time

MANY = 1_000_000


@pytest.fixture
async def room(services, new_product):
    """Return a function that makes a sale whose room has this highest rate."""

    async def make(calls_a_minute):
        product_id = await new_product(MANY, on_sale=False)
        await guard(services, product_id, MANY, max_rate=calls_a_minute, max_inside=MANY)
        return product_id

    return make


@pytest.fixture
def advance(services):
    """Return a function that lets time pass, and advances."""

    async def step(product_id, milliseconds=0, callable_=MANY):
        await pass_time(services, product_id, milliseconds)
        return await services.rooms.advance(product_id, callable_, 1)

    return step


async def late_claim(services, product_id, milliseconds):
    """Write a claim of an earlier time into the ledger; return its id."""
    at = await now(services) - milliseconds
    return await services.redis.xadd(
        Keys(product_id).ledger, {"u": "u", "q": 1, "c": ""}, f"{at}-0"
    )


async def test_time_calls_and_a_long_pause_makes_no_burst(room, advance):
    product_id = await room(600)  # ten a second

    door = await advance(product_id, 3_600_000)

    assert (door.serving, door.why) == (20, Why.RATE), "two seconds' worth at most"
    assert (await advance(product_id, 500)).serving >= 25


async def test_many_processes_call_no_more_than_one(services, room, advance):
    product_id = await room(600)
    await advance(product_id, 10_000)
    await pass_time(services, product_id, 10_000)

    doors = await asyncio.gather(*(services.rooms.advance(product_id, MANY, 1) for _ in range(20)))

    assert doors[0].serving == 40
    steps = [later.serving - door.serving for door, later in pairwise(doors)]
    assert all(step in {0, 1} for step in steps), "what time brought meanwhile"


async def test_a_clock_that_steps_back_calls_nobody_and_does_not_stop_the_room(room, advance):
    product_id = await room(600)
    await advance(product_id, 10_000)

    back = await advance(product_id, -3_600_000)
    later = await advance(product_id, 1000)

    assert back.serving == 20
    assert later.serving >= 30


async def test_a_slow_room_calls_too(room, advance):
    product_id = await room(6)

    assert (await advance(product_id, 10_000)).serving == 1
    assert (await advance(product_id, 5000)).serving == 1
    assert (await advance(product_id, 5000)).serving == 2


async def test_nobody_is_called_who_has_not_joined(room, advance):
    product_id = await room(600)

    some = await advance(product_id, 10_000, callable_=3)
    fewer = await advance(product_id, 10_000, callable_=0)

    assert (some.serving, some.why) == (3, Why.NOBODY)
    assert fewer.serving == 3, "an older copy of the queue"


async def test_the_rate_falls_once_a_second_while_orders_are_late(services, room, advance):
    product_id = await room(600)
    await late_claim(services, product_id, 5000)
    await pass_time(services, product_id, 1000)

    doors = await asyncio.gather(*(services.rooms.advance(product_id, MANY, 1) for _ in range(9)))
    then = [await advance(product_id, 1000) for _ in range(15)]

    assert {door.rate for door in doors} == {7}
    assert then[0].rate == pytest.approx(4.9)
    assert then[-1].rate == 0.5, "it never stops"
    assert then[-1].why is Why.PIPELINE


async def test_the_rate_recovers_when_orders_are_in_time(services, room, advance):
    product_id = await room(600)
    entry = await late_claim(services, product_id, 5000)
    for _ in range(15):
        await advance(product_id, 1000)

    await services.redis.xdel(Keys(product_id).ledger, entry)
    rates = [(await advance(product_id, 2000)).rate for _ in range(12)]

    assert rates == sorted(rates)
    assert rates[-1] == 10


async def test_a_claim_of_two_seconds_is_not_late(services, room, advance):
    product_id = await room(600)
    await late_claim(services, product_id, 0)

    assert (await advance(product_id, 1000)).rate == 10


async def test_a_rate_that_nobody_needs_does_not_rise(services, room, advance):
    product_id = await room(600)
    await services.redis.hset(Keys(product_id).door, "rate", 2)

    rates = [(await advance(product_id, 2000, callable_=1)).rate for _ in range(3)]

    assert rates == [2, 2, 2]


async def test_an_admin_sets_the_highest_rate(services, room, advance):
    product_id = await room(600)

    assert await services.rooms.set_rate(product_id, 3)
    slower = await advance(product_id, 10_000)
    assert await services.rooms.set_rate(product_id, 4)
    faster = [await advance(product_id, 2000) for _ in range(3)]

    assert (slower.rate, slower.max_rate, slower.serving) == (3, 3, 6)
    assert faster[-1].rate == 4


async def test_the_calls_of_the_last_minute_are_counted(room, advance):
    product_id = await room(600)
    assert (await advance(product_id, callable_=0)).recent == 0

    first = await advance(product_id, 10_000)
    second = await advance(product_id, 40_000)
    then = await advance(product_id, 30_000, callable_=0)

    assert (first.recent, second.recent, then.recent) == (20, 40, 20)
    assert (await advance(product_id, 61_000, callable_=0)).recent == 0


async def test_the_newest_4096_calls_are_kept(services, room, advance):
    product_id = await room(600)
    calls, at = Keys(product_id).calls, await now(services)
    await services.redis.zadd(calls, {at - 5_000_000 + n * 1000: n for n in range(1, 5001)})
    await call(services, product_id, 5001)

    await advance(product_id, 10_000)

    assert await services.redis.zcard(calls) == 4096
    (oldest,) = await services.redis.zrange(calls, 0, 0, withscores=True)
    assert oldest[1] == 5002 - 4095
