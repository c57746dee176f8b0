"""After a loss of Redis: which sales get a waiting room back, and what repeats an opening."""

import pytest

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Terms
from flashsale.usecases import sales
from flashsale.usecases.rebuild import NotRebuilt, rebuild
from flashsale.usecases.rooms import MARGIN
from flashsale_local.cli.sale import where_the_room_goes_on
from tests.helpers.admin_desk import claim
from tests.helpers.support import USERS
from tests.integration.roomed_sale import joined_sale


@pytest.fixture
async def roomed(services, new_product):
    """Return a sale whose room has users."""
    return await joined_sale(services, await new_product(10, on_sale=False), USERS[:12])


def no_messages():
    return 0


async def test_opening_again_restores_a_lost_queue_without_a_pause(roomed):
    await roomed.lose(sale=False, queue=True)

    assert await roomed.open() is None

    assert (await roomed.sale()).state == "open"
    assert (await roomed.look()).issued >= MARGIN
    back = {user: await roomed.join(user, ticket) for user, ticket in roomed.tickets.items()}
    assert back == roomed.tickets


async def test_opening_again_restores_a_sale_that_was_lost_before_its_first_order(roomed):
    await roomed.lose(sale=True, queue=True)

    assert await roomed.open() is None

    back = {user: await roomed.join(user, ticket) for user, ticket in roomed.tickets.items()}
    assert back == roomed.tickets
    assert (await roomed.join(USERS[20]))[1] >= MARGIN


async def test_a_sale_without_a_room_gets_none(roomed):
    await sales.end_sale(roomed.services, roomed.product_id)
    await sales.open_sale(roomed.services, roomed.product_id, Terms())

    for lost in (False, True):
        await roomed.lose(sale=lost, queue=lost)
        await rebuild(roomed.services, [roomed.product_id], no_messages, 60, grace=0)

        assert await roomed.epoch() == 0
        assert await roomed.look() is None
    assert isinstance(await claim(roomed.services, roomed.product_id), Claimed)


async def test_the_sale_knows_better_than_an_opening_that_was_cut_off(roomed):
    """PostgreSQL does not know yet that the product is sold without a room."""
    await sales.end_sale(roomed.services, roomed.product_id)
    await roomed.services.stock.open_sale(roomed.product_id, 10)
    assert await roomed.row()

    await rebuild(roomed.services, [roomed.product_id], no_messages, 60, grace=0)

    assert await roomed.epoch() == 0
    assert await roomed.row() is None


async def test_the_command_says_where_the_room_goes_on(roomed, services, new_product):
    await roomed.lose(sale=True, queue=True)
    await rebuild(services, [roomed.product_id], no_messages, 60, grace=0)

    line = await where_the_room_goes_on(services, roomed.product_id)

    assert line == "; room 1 goes on: 0 places called, new ones from 10,008"
    assert await where_the_room_goes_on(services, await new_product(1)) == ""


async def test_only_v5_has_rooms(roomed, new_product):
    other = await new_product(5)
    await roomed.lose(sale=True, queue=True)
    ids, v3 = [roomed.product_id, other], Terms(generation=3)

    with pytest.raises(NotRebuilt, match=f"{roomed.product_id} stays paused, as only V5"):
        await rebuild(roomed.services, ids, no_messages, 60, v3, grace=0)

    assert await roomed.services.stock.left([other]) == [5]
