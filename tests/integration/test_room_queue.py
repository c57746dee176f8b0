"""Those who join a waiting room get one number each, whatever happens to Redis."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.rooms import Joined, Mode, NotYet
from flashsale.redis_store.scripts import QueueKeys
from tests.helpers.support import USERS
from tests.integration.room_sale import SEED, guard, pass_time, room_of

DRAW = Mode.DRAW


@pytest.fixture
def rooms(services):
    return services.rooms


async def test_a_user_has_one_number_however_often_they_join(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)

    joins = [rooms.join(product_id, user) for user in USERS[:20] * 4]
    joined = await asyncio.gather(*joins)

    assert joined[:20] * 4 == joined
    assert sorted(one.number for one in joined[:20]) == list(range(20))
    assert (await rooms.look(product_id)).issued == 20


async def test_nobody_joins_before_it_is_time(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    from_at = datetime.now(UTC) + timedelta(hours=1)
    await guard(services, product_id, 5, from_at=from_at, opens_in=7200)

    assert await rooms.join(product_id, USERS[0]) == NotYet(int(from_at.timestamp() * 1000))

    await pass_time(services, product_id, 3_600_000)
    assert await rooms.join(product_id, USERS[0]) == Joined(0, 1)
    await pass_time(services, product_id, -3_600_000)
    assert await rooms.join(product_id, USERS[0]) == Joined(0, 1), "a clock that steps back"


async def test_without_a_room_there_is_nothing_to_join_or_see(rooms):
    assert await rooms.join("no-such", USERS[0]) is None
    assert await rooms.look("no-such") is None


@pytest.mark.parametrize("first", ["join", "look"])
async def test_the_first_call_after_the_opening_draws_once(rooms, services, new_product, first):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5, mode=DRAW, opens_in=60)
    for user in USERS[:3]:
        await rooms.join(product_id, user)
    assert (await rooms.look(product_id)).drawn is None

    await pass_time(services, product_id, 60_000)
    if first == "join":
        await rooms.join(product_id, USERS[3])
    drawn = (await rooms.look(product_id)).drawn
    await rooms.join(product_id, USERS[4])
    await pass_time(services, product_id, -60_000)  # the clock steps back

    assert drawn == 3
    assert (await rooms.look(product_id)).drawn == 3


async def test_a_draw_is_shown_when_postgresql_has_it(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5, mode=DRAW, opens_in=0)
    await rooms.join(product_id, USERS[0])
    queue = await rooms.look(product_id)
    assert (queue.shown, queue.callable) == (False, 0)

    assert not (await rooms.look(product_id, saved=(2, 1))).shown, "of another epoch"
    shown = await rooms.look(product_id, saved=(1, 5))

    assert (shown.shown, shown.drawn, shown.callable) == (True, 5, 5), "the first draw counts"
    again = await rooms.look(product_id, saved=(1, 7))
    assert (again.drawn, again.issued) == (5, 5), "once it is shown, no draw changes"


async def test_a_draw_is_shown_ten_seconds_late_without_postgresql(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5, mode=DRAW, opens_in=30)
    await rooms.join(product_id, USERS[0])

    await pass_time(services, product_id, 40_000)
    late = await rooms.look(product_id)
    await pass_time(services, product_id, -30_000)

    assert (late.shown, late.drawn, late.callable) == (True, 1, 1)
    assert (await rooms.look(product_id)).shown, "nothing that was shown is taken back"


@pytest.mark.parametrize("first", ["join", "look"])
async def test_places_in_order_need_no_draw(rooms, services, new_product, first):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5, opens_in=60)
    await rooms.join(product_id, USERS[0])
    assert not (await rooms.look(product_id)).shown

    await pass_time(services, product_id, 60_000)
    if first == "join":
        await rooms.join(product_id, USERS[1])

    assert (await rooms.look(product_id)).shown


async def test_a_lapsed_place_is_given_up_once(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5, opens_in=60)
    for user in USERS[:3]:
        await rooms.join(product_id, user)

    async def again(number=0, epoch=1):
        joined = await rooms.join(product_id, USERS[0], number=number, epoch=epoch, again=True)
        return joined.number

    assert await again() == 0, "nobody tries their luck twice"
    await pass_time(services, product_id, 60_000)
    await rooms.look(product_id)
    assert [await again(number=1), await again(epoch=2)] == [0, 0], "not the user's place"
    assert await asyncio.gather(*(again() for _ in range(9))) == [3] * 9
    assert (await rooms.join(product_id, USERS[0])).number == 3


async def test_a_loss_of_redis_loses_no_place(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    queue = QueueKeys(product_id)
    await services.redis.delete(queue.places, queue.room)
    await rooms.open(room_of(product_id, saved={"issued": 100, "drawn": 7}))

    here = await rooms.join(product_id, USERS[0], number=4, epoch=1)
    late = await rooms.join(product_id, USERS[1], number=120, epoch=1)
    foreign = await rooms.join(product_id, USERS[2], number=5, epoch=9)
    nothing = await rooms.join(product_id, USERS[3])

    assert [one.number for one in (here, late, foreign, nothing)] == [4, 120, 121, 122]
    view = await rooms.look(product_id)
    assert (view.drawn, view.shown, view.issued) == (7, True, 123)
    assert await rooms.join(product_id, USERS[0], number=1, epoch=1) == here, "one place"


async def test_a_forged_number_leaves_numbers_for_others(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)

    assert await rooms.join(product_id, USERS[0], number=2**53 - 1, epoch=1) == Joined(0, 1)
    assert await rooms.join(product_id, USERS[1]) == Joined(1, 1)


async def test_a_room_is_opened_once_and_a_new_epoch_begins_anew(rooms, services, new_product):
    product_id = await new_product(5, on_sale=False)
    await guard(services, product_id, 5)
    await rooms.join(product_id, USERS[0])

    assert not await rooms.open(room_of(product_id, saved={"issued": 9}))
    assert (await rooms.look(product_id)).issued == 1
    assert await rooms.open(room_of(product_id, epoch=2, mode=DRAW, opens_in=60))

    queue = await rooms.look(product_id)
    assert (queue.epoch, queue.mode, queue.issued, queue.drawn) == (2, DRAW, 0, None)
    assert queue.seed == SEED
    await rooms.close(product_id)
    assert await rooms.look(product_id) is None
