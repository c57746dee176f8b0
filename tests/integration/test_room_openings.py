"""A sale is opened, kept and rebuilt in one step with the door of its waiting room."""

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Refusal, SoldBy
from flashsale.domain.rooms import Admitted, NotAdmitted, Why
from flashsale.redis_store.return_codes import Opening
from tests.helpers.support import USERS
from tests.integration.room_sale import buy, guard, guarded, lose, pass_time, room_of

OUTSIDE = Refusal.ADMISSION_REQUIRED


async def test_no_generation_goes_round_the_room(services):
    product_id = await guarded(services)

    assert await services.stock.decrement(product_id, 1, 4) == SoldBy(product_id, 5)


async def test_opened_without_a_room_it_sells_to_everybody(services):
    product_id = await guarded(services)
    assert await buy(services, product_id) is OUTSIDE

    await services.stock.pause_to_rebuild(product_id)
    await services.stock.open_sale(product_id, 5, again=True)

    assert isinstance(await buy(services, product_id), Claimed)
    assert await services.rooms.advance(product_id, 9, 1) is None


@pytest.mark.parametrize(
    ("change", "opening"),
    [
        ({}, Opening.RUNNING),
        ({"epoch": 2}, Opening.RUNNING_ON_OTHER_TERMS),
        ({"max_rate": 7}, Opening.RUNNING_ON_OTHER_TERMS),
        ({"max_inside": 7}, Opening.RUNNING_ON_OTHER_TERMS),
        ({"admission_seconds": 7}, Opening.RUNNING_ON_OTHER_TERMS),
        ({"call_seconds": 7}, Opening.RUNNING_ON_OTHER_TERMS),
    ],
)
async def test_a_running_sale_keeps_its_room(services, change, opening):
    product_id = await guarded(services, inside=USERS[:1], max_rate=100)
    stock = services.stock

    room = room_of(product_id, **{"max_rate": 100, **change})
    assert await stock.open_sale(product_id, 5, room=room) is opening
    assert await stock.open_sale(product_id, 5) is Opening.RUNNING_ON_OTHER_TERMS

    assert await buy(services, product_id, USERS[1]) is OUTSIDE
    assert isinstance(await buy(services, product_id, USERS[0], admission="valid"), Claimed)


async def test_a_running_sale_gets_no_room(services, new_product):
    product_id = await new_product(5)

    opening = await services.stock.open_sale(product_id, 5, room=room_of(product_id))

    assert opening is Opening.RUNNING_ON_OTHER_TERMS


async def test_after_a_loss_the_called_have_their_time_again(services):
    product_id = await guarded(services, inside=USERS[:1])
    await pass_time(services, product_id, 3_600_000)
    await lose(services, product_id)

    await guard(services, product_id, 5, saved={"serving": 3, "issued": 90})

    assert isinstance(await services.rooms.admit(product_id, USERS[0], 0, 1), Admitted)
    assert isinstance(await services.rooms.admit(product_id, USERS[1], 2, 1), Admitted)
    door = await services.rooms.advance(product_id, 3, 1)
    assert (door.serving, door.recent, door.inside) == (3, 0, 2)


async def test_after_a_rebuild_without_a_loss_a_used_place_stays_used(services):
    product_id = await guarded(services)
    rooms = services.rooms
    for user, place in zip(USERS[:2], (0, 1), strict=True):
        assert isinstance(await rooms.admit(product_id, user, place, 1), Admitted)
    assert isinstance(await buy(services, product_id, USERS[0], admission="valid"), Claimed)
    await services.stock.pause_to_rebuild(product_id)

    await guard(services, product_id, 5)

    assert await rooms.admit(product_id, USERS[0], 0, 1) is NotAdmitted.LAPSED
    assert isinstance(await rooms.admit(product_id, USERS[1], 1, 1), Admitted)
    assert (await rooms.advance(product_id, 0, 1)).admitted == 2


async def test_a_paused_room_stays_paused_in_a_rebuild(services):
    product_id = await guarded(services)
    await services.rooms.set_paused(product_id, paused=True)
    await services.stock.pause_to_rebuild(product_id)

    await guard(services, product_id, 5)

    assert (await services.rooms.advance(product_id, 200, 1)).why is Why.PAUSED


async def test_a_rebuild_without_a_loss_calls_nobody_back(services):
    product_id = await guarded(services)
    await services.stock.pause_to_rebuild(product_id)

    await guard(services, product_id, 5, saved={"serving": 3, "issued": 90})

    assert (await services.rooms.advance(product_id, 0, 1)).serving == 100
    await services.stock.pause_to_rebuild(product_id)
    await guard(services, product_id, 5, epoch=2)
    assert (await services.rooms.advance(product_id, 0, 2)).serving == 0
