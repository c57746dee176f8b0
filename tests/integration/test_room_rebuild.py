"""`flashsale rebuild` restores a waiting room that Redis lost, or a part of it."""

from dataclasses import replace

import pytest

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Declined, Terms
from flashsale.domain.rooms import Admitted, Mode, RoomState
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.rebuild import NotRebuilt, rebuild
from flashsale.usecases.rooms import MARGIN, read_room
from tests.helpers.support import USERS, until
from tests.integration.roomed_sale import RoomedSale, joined_sale

WAITING, LATER, NEW = USERS[:12], USERS[12:15], USERS[20:24]
LOSSES = {
    "both": {"sale": True, "queue": True},
    "the queue": {"sale": False, "queue": True},
    "the sale and its door": {"sale": True, "queue": False},
    "nothing": {"sale": False, "queue": False},
}


@pytest.fixture(params=LOSSES.values(), ids=list(LOSSES))
def loss(request):
    return request.param


@pytest.fixture
async def roomed(services, new_product):
    """Return a sale whose room has users."""
    return await joined_sale(services, await new_product(10, on_sale=False), WAITING)


def no_messages():
    return 0


async def rebuilt(sale, terms=None):
    """Rebuild the sale, and let all users come back with their tickets, and new ones without."""
    opened = await rebuild(sale.services, [sale.product_id], no_messages, 60, terms, grace=0)
    assert opened == {sale.product_id: 10}
    # Before those with tickets, so that nobody can get a number that a ticket holds.
    new = {user: await sale.join(user) for user in NEW}
    back = {user: await sale.join(user, ticket) for user, ticket in sale.tickets.items()}
    assert back == sale.tickets, "each user has the number of their ticket"
    numbers = [number for _, number in (back | new).values()]
    assert len(set(numbers)) == len(numbers), "no two users have one number"
    assert min(n for _, n in new.values()) > max(n for _, n in back.values())
    return new


async def has_called(sale, count):
    return await sale.call() >= count


async def test_before_the_draw_everybody_keeps_their_number(roomed, loss):
    before = await roomed.row()
    await roomed.lose(**loss)

    new = await rebuilt(roomed)
    await roomed.begin()
    row = await roomed.draw()

    assert (row.epoch, row.seed) == (before.epoch, before.seed)
    assert await roomed.epoch() == row.epoch
    places = await roomed.places(roomed.tickets | new)
    assert len(set(places.values())) == len(places), "no two users have one place"
    assert row.drawn >= len(places)
    if not loss["queue"]:
        assert row.drawn == len(places), "no number is left out, because none was lost"


async def test_after_the_draw_everybody_keeps_their_place(roomed, loss):
    await roomed.begin()
    drawn = (await roomed.draw()).drawn
    roomed.tickets |= {user: await roomed.join(user) for user in LATER}
    places = await roomed.places(roomed.tickets)
    await roomed.lose(**loss)

    await rebuilt(roomed)

    assert (await roomed.row()).drawn == drawn == len(WAITING)
    assert (await roomed.look()).drawn == drawn
    assert await roomed.places(roomed.tickets) == places


async def test_a_draw_that_only_redis_knew_was_not_shown_and_may_change(roomed, loss):
    await roomed.begin()
    queue = await roomed.look()
    assert (queue.drawn, queue.shown) == (len(WAITING), False)
    await roomed.lose(**loss)

    new = await rebuilt(roomed)
    row = await roomed.draw()

    assert row.drawn == (await roomed.look()).drawn, "both stores have the same draw"
    places = await roomed.places(roomed.tickets | new)
    assert len(set(places.values())) == len(places), "no two users have one place"
    assert all(number >= row.drawn for _, number in new.values()), "they came after the draw"
    if not loss["queue"]:
        assert row.drawn == len(WAITING)


async def test_who_was_called_is_called(roomed, loss):
    await roomed.begin()
    await roomed.draw()
    await until(lambda: has_called(roomed, 2))
    await roomed.save()
    saved = (await roomed.row()).serving
    await roomed.lose(**loss)

    await rebuilt(roomed)

    door = (await read_room(roomed.services, roomed.product_id)).door
    assert door.serving >= saved
    places = await roomed.places(roomed.tickets)
    first = min(places, key=places.get)
    admitted = await roomed.services.rooms.admit(
        roomed.product_id, first, places[first], door.epoch
    )
    assert isinstance(admitted, Admitted), "the first of all can buy, as before"


async def test_who_was_inside_still_is_unless_it_was_lost(roomed, loss):
    await roomed.begin()
    await roomed.draw()
    await until(lambda: has_called(roomed, 1))
    places = await roomed.places(roomed.tickets)
    first = min(places, key=places.get)
    await roomed.services.rooms.admit(roomed.product_id, first, 0, 1)
    await roomed.lose(**loss)

    await rebuilt(roomed)

    inside = await roomed.services.redis.zrange(Keys(roomed.product_id).inside, 0, -1)
    assert inside == ([] if loss.get("sale") else [first])


async def test_a_sale_whose_room_postgresql_has_lost_stays_closed(roomed):
    await roomed.execute("DELETE FROM rooms WHERE product_id = %s")

    with pytest.raises(NotRebuilt, match="PostgreSQL has lost its room"):
        await rebuild(roomed.services, [roomed.product_id], no_messages, 60, grace=0)

    assert (await roomed.sale()).state is SaleState.PAUSED
    assert await roomed.epoch() == 1


async def test_no_new_number_is_within_a_draw_that_was_saved(roomed):
    await roomed.save()
    await roomed.begin()
    await roomed.services.room_rows.save_draw(roomed.product_id, 1, 50_000)  # and then it died
    await roomed.lose(sale=True, queue=True)

    await rebuild(roomed.services, [roomed.product_id], no_messages, 60, grace=0)

    _, number = await roomed.join(NEW[0])
    assert number >= 50_000


async def test_two_losses_in_a_row_give_no_number_twice(roomed):
    given = dict(roomed.tickets)
    for users in (USERS[30:33], USERS[33:36]):
        await roomed.lose(sale=True, queue=True)
        await rebuild(roomed.services, [roomed.product_id], no_messages, 60, grace=0)
        given |= {user: await roomed.join(user) for user in users}

    numbers = [number for _, number in given.values()]
    assert len(set(numbers)) == len(numbers)


async def test_an_opening_that_is_declined_leaves_no_number_out(roomed):
    saved = (await roomed.row()).issued
    await roomed.services.stock.pause_sale(roomed.product_id)
    await roomed.lose(sale=False, queue=True)
    await roomed.services.redis.delete(Keys(roomed.product_id).sale)  # so units may be on their way
    claim = {"u": USERS[0], "q": 1, "c": ""}
    await roomed.services.redis.xadd(Keys(roomed.product_id).ledger, claim)

    assert await roomed.open() is Declined.NEEDS_REBUILD

    assert (await roomed.row()).issued == saved


async def test_as_many_numbers_are_left_out_as_a_minute_gave(roomed):
    async with roomed.services.database.transaction() as connection:
        await connection.execute(
            "UPDATE rooms SET joins_a_minute = %s WHERE product_id = %s",
            [3 * MARGIN, roomed.product_id],
        )
    saved = (await roomed.row()).issued
    await roomed.lose(sale=True, queue=True)

    await rebuilt(roomed)

    assert (await roomed.look()).issued == saved + 3 * MARGIN + len(NEW)


async def test_a_sale_that_has_not_begun_begins_at_its_time(roomed):
    starts_at = roomed.terms.starts_at
    await roomed.lose(sale=True, queue=True)

    await rebuilt(roomed)

    view = await read_room(roomed.services, roomed.product_id)
    assert view.state is RoomState.PREQUEUE
    assert view.queue.opens_at == starts_at.timestamp() * 1000
    assert await roomed.open() is None, "these are the terms of the sale"


async def test_what_an_admin_changed_is_kept(roomed, loss):
    async with roomed.services.database.transaction() as connection:
        await roomed.services.room_rows.change(
            connection, roomed.product_id, paused=True, max_rate=120
        )
    await roomed.lose(**loss)

    await rebuilt(roomed)

    door = (await read_room(roomed.services, roomed.product_id)).door
    assert (door.why, door.max_rate) == ("paused", 2)


async def test_the_first_come_keep_their_order(services, new_product, loss):
    sale = RoomedSale(services, await new_product(10, on_sale=False))
    sale.terms = Terms(room=replace(sale.terms.room, mode=Mode.FIFO))
    await sale.open()
    sale.tickets = {user: await sale.join(user) for user in WAITING}
    await sale.draw()
    await sale.save()
    await sale.lose(**loss)

    await rebuilt(sale)

    places = await sale.places(sale.tickets)
    assert places == {user: number for user, (_, number) in sale.tickets.items()}
