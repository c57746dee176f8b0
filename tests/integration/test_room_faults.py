"""A process dies while it opens a sale with a waiting room. A repeated opening does the rest."""

import asyncio
from dataclasses import replace

import pytest

from flashsale.domain.model import Declined, Refusal, Terms
from flashsale.errors import DatabaseUnavailable
from flashsale.usecases import sales
from flashsale.usecases.rooms import set_up_room
from tests.helpers.admin_desk import claim, dies
from tests.helpers.support import USERS
from tests.integration.roomed_sale import RoomedSale, joined_sale
from tests.integration.steps import Crash, Steps

# More than an opening has.
MOST_STEPS = 60


async def crash():
    raise Crash


async def first_sale(sale):
    """No sale was opened before."""


async def ended_room(sale):
    """A sale with a room was ended, and its room had users."""
    await sale.open()
    await sale.join(USERS[0])
    await sales.end_sale(sale.services, sale.product_id)


async def ended_without(sale):
    """A sale without a room was ended."""
    await sales.open_sale(sale.services, sale.product_id, Terms())
    await sales.end_sale(sale.services, sale.product_id)


async def opened_until(sale, step):
    """Open the sale, and crash at a step; return whether the opening came that far."""
    try:
        await sale.open(Steps(sale.services, {step: crash}))
    except Crash:
        return True
    return False


async def is_guarded(sale):
    """Check that nobody who was not called can buy, and that PostgreSQL has the room."""
    found = await sale.sale()
    if found and found.state == "open":
        assert await sale.epoch(), "the sale is open, and its room does not guard it"
        assert await sale.services.room_rows.get(sale.product_id, await sale.epoch())


@pytest.mark.parametrize("before", [first_sale, ended_room, ended_without])
async def test_a_crash_at_any_step_is_repaired_by_opening_again(services, new_product, before):
    for step in range(MOST_STEPS):
        sale = RoomedSale(services, await new_product(5, on_sale=False))
        await before(sale)
        spent = (await sale.row()).epoch if await sale.row() else 0

        crashed = await opened_until(sale, step)
        await is_guarded(sale)
        assert await sale.open() is None

        epoch, row, queue = await sale.epoch(), await sale.row(), await sale.look()
        assert epoch == row.epoch == queue.epoch > spent
        assert queue.seed == row.seed
        assert queue.issued == 0, "no number is left out, because nobody can have joined"
        assert await sale.join(USERS[1]) == (row.epoch, 0)
        await sale.begin()
        assert await claim(services, sale.product_id) is Refusal.ADMISSION_REQUIRED
        if not crashed:
            break
    assert not crashed, "the last opening was not cut off"
    assert step > 8, "each step was tried"


async def test_a_crash_of_an_opening_without_a_room_is_repaired(services, new_product):
    for step in range(MOST_STEPS):
        sale = RoomedSale(services, await new_product(5, on_sale=False))
        await ended_room(sale)
        sale.terms = Terms()

        crashed = await opened_until(sale, step)
        assert await sale.open() is None

        assert await sale.epoch() == 0
        assert (await sale.row(), await sale.look()) == (None, None)
        if not crashed:
            break
    assert not crashed


async def test_a_room_that_users_saw_is_not_that_of_the_next_sale(
    services, new_product, monkeypatch
):
    """The opening died before PostgreSQL knew that the sale was open. Then the sale ended."""
    sale = RoomedSale(services, await new_product(5, on_sale=False))
    dies(monkeypatch, services.room_rows, "mark_opened", DatabaseUnavailable, after=False)
    with pytest.raises(DatabaseUnavailable):
        await sale.open()
    ticket = await sale.join(USERS[0])
    await sales.end_sale(services, sale.product_id)

    assert await sale.open() is None

    assert (await sale.epoch(), (await sale.row()).epoch) == (2, 2)
    assert await sale.join(USERS[1], ticket) == (2, 0), "a ticket of the first room is worthless"


async def test_after_a_crash_an_admin_may_choose_other_terms(services, new_product):
    for step in range(MOST_STEPS):
        sale = RoomedSale(services, await new_product(5, on_sale=False))
        crashed = await opened_until(sale, step)
        sale.terms = replace(sale.terms, room=replace(sale.terms.room, max_inside=50))
        declined = await sale.open()

        epoch, row = await sale.epoch(), await sale.row()
        opened_before = declined is Declined.SALE_RUNNING
        assert declined in {None, Declined.SALE_RUNNING}
        running = await services.room_rows.get(sale.product_id, epoch)
        assert running.terms.max_inside == (3 if opened_before else 50)
        if not opened_before:
            assert row == running
        if not crashed:
            break
    assert not crashed
    assert opened_before


async def test_an_opening_that_is_late_changes_nothing_of_the_next(services, new_product):
    sale = await joined_sale(services, await new_product(10, on_sale=False), USERS[:2])
    late = await sale.row()
    await sales.end_sale(services, sale.product_id)
    assert await sale.open() is None
    joined = await sale.join(USERS[0])

    for room in (late, None):
        await set_up_room(services, sale.product_id, room)

    assert (await sale.look()).epoch == (await sale.row()).epoch == 2
    assert await sale.join(USERS[0]) == joined == (2, 0)


async def test_an_opening_between_the_readings_of_another_leaves_one_room(services, new_product):
    sale = RoomedSale(services, await new_product(5, on_sale=False))
    read = services.ledger.snapshot

    async def read_and_be_late(*arguments, **options):
        seen = await read(*arguments, **options)
        services.ledger.snapshot = read
        assert await sale.open() is None
        return seen

    services.ledger.snapshot = read_and_be_late

    assert await sale.open() is None
    assert (await sale.row()).epoch == await sale.epoch() == 1


async def test_openings_at_the_same_time_leave_one_room(services, new_product):
    sale = RoomedSale(services, await new_product(5, on_sale=False))

    opened = await asyncio.gather(*(sale.open() for _ in range(5)))

    epoch, row, queue = await sale.epoch(), await sale.row(), await sale.look()
    assert opened == [None] * 5
    assert epoch == row.epoch == queue.epoch == 1
    assert queue.seed == row.seed


async def test_openings_on_other_terms_at_the_same_time_leave_one_room(services, new_product):
    sale = RoomedSale(services, await new_product(5, on_sale=False))
    rooms = [replace(sale.terms.room, max_inside=number) for number in range(1, 6)]

    opened = await asyncio.gather(
        *(
            sales.open_sale(services, sale.product_id, replace(sale.terms, room=room))
            for room in rooms
        )
    )

    epoch, row, queue = await sale.epoch(), await sale.row(), await sale.look()
    assert sorted(opened, key=str) == [None, *[Declined.SALE_RUNNING] * 4]
    assert epoch == row.epoch == queue.epoch
    assert queue.seed == row.seed
    assert row.terms == rooms[opened.index(None)]
