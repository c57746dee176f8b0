"""A waiting room lets in whom it has called, once each, and never more than may be inside."""

import asyncio

import pytest

from flashsale.domain.claims import SaleState
from flashsale.domain.rooms import Admitted, NotAdmitted, Waits, Why
from flashsale.redis_store.scripts import Keys
from tests.helpers.support import USERS
from tests.integration.room_sale import call, guard, pass_time

CALL = 300_000
INSIDE = 120_000


@pytest.fixture
def rooms(services):
    return services.rooms


@pytest.fixture
def inside(services):
    """Return a function that returns who is inside, by until when."""

    async def read(product_id):
        members = await services.redis.zrange(Keys(product_id).inside, 0, -1, withscores=True)
        return {user: int(until) for user, until in members}

    return read


async def test_without_this_room_nobody_is_called_or_let_in(rooms, services, new_product):
    product_id = await new_product(5)
    assert await rooms.advance(product_id, 9, 1) is None
    assert await rooms.admit(product_id, USERS[0], 0, 1) is None
    assert not await rooms.set_paused(product_id, paused=True)
    assert not await rooms.set_rate(product_id, 1)

    guarded = await new_product(5, on_sale=False)
    await guard(services, guarded, 5, epoch=2)
    await call(services, guarded, 9)

    assert await rooms.advance(guarded, 9, 1) is None
    assert await rooms.admit(guarded, USERS[0], 0, 1) is None


@pytest.mark.parametrize(
    ("max_inside", "stock", "may", "why"),
    [
        (2, 100, 2, Why.INSIDE),
        (2, 1, 2, Why.INSIDE),
        (3, 1, 2, Why.STOCK),
        (100, 2, 3, Why.STOCK),
        (100, 3, 5, Why.STOCK),
        (100, 0, 0, Why.STOCK),
    ],
)
async def test_no_more_are_inside_than_may_be(
    rooms, services, new_product, inside, max_inside, stock, may, why
):
    product_id = await new_product(stock, on_sale=False)
    await guard(services, product_id, stock, max_inside=max_inside)
    await pass_time(services, product_id, 10_000)

    door = await rooms.advance(product_id, 50, 1)
    await call(services, product_id, 50)  # as if no-shows came late
    answers = await asyncio.gather(
        *(rooms.admit(product_id, USERS[place], place, 1) for place in range(50))
    )

    assert (door.serving, door.why) == (may, why)
    assert sum(isinstance(one, Admitted) for one in answers) == may
    assert answers.count(NotAdmitted.FULL) == 50 - may
    assert len(await inside(product_id)) == may


async def test_stock_that_falls_lets_nobody_else_in(rooms, services, new_product):
    product_id = await new_product(4, on_sale=False)
    await guard(services, product_id, 4)
    await call(services, product_id, 9)
    assert isinstance(await rooms.admit(product_id, USERS[0], 0, 1), Admitted)
    assert isinstance(await rooms.admit(product_id, USERS[1], 1, 1), Admitted)

    await services.redis.set(Keys(product_id).stock, 1)
    assert await rooms.admit(product_id, USERS[2], 2, 1) is NotAdmitted.FULL
    await rooms.leave(product_id, USERS[0])

    assert isinstance(await rooms.admit(product_id, USERS[2], 2, 1), Admitted)


async def test_only_the_called_are_let_in(rooms, services, new_product, inside):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    await call(services, product_id, 3)

    assert await rooms.admit(product_id, USERS[3], 3, 1) == Waits(3, 0)
    assert await rooms.admit(product_id, USERS[7], 7, 1) == Waits(7, 4)
    assert isinstance(await rooms.admit(product_id, USERS[2], 2, 1), Admitted)
    assert list(await inside(product_id)) == [USERS[2]]


async def test_who_is_inside_gets_the_same_answer_and_no_more_time(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    await call(services, product_id, 3)

    admitted = await rooms.admit(product_id, USERS[0], 0, 1)
    await pass_time(services, product_id, 1000)
    repeats = [await rooms.admit(product_id, USERS[0], 0, 1) for _ in range(2)]

    assert repeats == [Admitted(admitted.until - 1000)] * 2
    door = await rooms.advance(product_id, 3, 1)
    assert (door.inside, door.admitted) == (1, 1)


async def test_one_place_is_let_in_once(rooms, services, new_product, inside):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    await call(services, product_id, 9)
    await rooms.admit(product_id, USERS[0], 4, 1)

    await pass_time(services, product_id, INSIDE)

    assert [await rooms.admit(product_id, USERS[0], place, 1) for place in (4, 2)] == [
        NotAdmitted.LAPSED,
        NotAdmitted.LAPSED,
    ]
    assert await inside(product_id) == {}
    assert isinstance(await rooms.admit(product_id, USERS[0], 5, 1), Admitted)
    await rooms.leave(product_id, USERS[0])
    assert await rooms.admit(product_id, USERS[0], 5, 1) is NotAdmitted.LAPSED


async def test_a_called_user_who_does_not_come_lapses(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    await call(services, product_id, 3)
    await pass_time(services, product_id, CALL - 60_000)
    await call(services, product_id, 6)
    assert isinstance(await rooms.admit(product_id, USERS[0], 0, 1), Admitted)

    await pass_time(services, product_id, 60_001)

    assert await rooms.admit(product_id, USERS[2], 2, 1) is NotAdmitted.LAPSED
    assert isinstance(await rooms.admit(product_id, USERS[3], 3, 1), Admitted), "called later"


async def test_a_room_that_is_paused_calls_nobody_and_goes_on(rooms, services, new_product):
    product_id = await new_product(50, on_sale=False)
    await guard(services, product_id, 50)
    await pass_time(services, product_id, 10_000)

    assert await rooms.set_paused(product_id, paused=True)
    paused = await rooms.advance(product_id, 9, 1)
    assert await rooms.set_paused(product_id, paused=False)
    resumed = await rooms.advance(product_id, 9, 1)

    assert (paused.serving, paused.why, paused.state) == (0, Why.PAUSED, "open")
    assert (resumed.serving, resumed.why) == (9, Why.NOBODY)


@pytest.mark.parametrize("state", [SaleState.PAUSED, SaleState.ENDED])
async def test_a_sale_that_is_paused_or_ended_calls_nobody(rooms, services, new_product, state):
    product_id = await new_product(50, on_sale=False)
    await guard(services, product_id, 50)
    await call(services, product_id, 3)
    await pass_time(services, product_id, 10_000)

    await services.stock.pause_sale(product_id, state)

    door = await rooms.advance(product_id, 9, 1)
    assert (door.serving, door.state, door.stock) == (3, state, 0)
    assert await rooms.admit(product_id, USERS[0], 0, 1) is NotAdmitted.FULL


async def test_a_sale_whose_time_is_over_calls_nobody(rooms, services, new_product):
    product_id = await new_product(50, on_sale=False)
    await guard(services, product_id, 50)
    await services.redis.hset(Keys(product_id).sale, "ends_at", 1)
    await pass_time(services, product_id, 10_000)

    door = await rooms.advance(product_id, 9, 1)

    assert (door.serving, door.state) == (0, "ended")


async def test_one_process_saves_in_ten_seconds(rooms, services, new_product):
    product_id = await new_product(1)

    turns = [await rooms.take_turn_to_save(product_id) for _ in range(3)]

    assert turns == [True, False, False]
    assert 0 < await services.redis.pttl(Keys(product_id).door_saver) <= 10_000
