"""Admin API: open sales with waiting rooms, and control the rooms."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.draw import commitment
from flashsale.domain.model import Declined, Refusal, Terms
from flashsale.domain.rooms import Admitted, Mode, NotYet, RoomTerms
from flashsale.usecases import sales
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale.usecases.rooms import read_room
from tests.helpers.admin_desk import claim, sell
from tests.helpers.support import USERS, until
from tests.integration.roomed_sale import RoomedSale, later, with_secret

BODY = {
    "mode": "fifo", "maxInside": 7, "maxRate": 90, "admissionSeconds": 30,
}  # fmt: skip
TERMS = RoomTerms(Mode.FIFO, max_inside=7, max_rate=90, admission_seconds=30)


@pytest.fixture
async def product(services, new_product):
    with_secret(services)
    return await new_product(10, on_sale=False)


@pytest.fixture
async def roomed(services, new_product):
    sale = RoomedSale(services, await new_product(10, on_sale=False))
    assert await sale.open() is None
    return sale


async def open_(desk, product_id, room=BODY, **body):
    return await desk.act(product_id, "open", {"room": room, **body})


async def is_called(services, product_id, number):
    return (await read_room(services, product_id)).door.serving > number


async def test_a_room_guards_the_sale(desk, services, product):
    answer = await open_(desk, product)
    refused = await claim(services, product)
    joined = await services.rooms.join(product, USERS[0])
    await until(lambda: is_called(services, product, joined.number))
    admitted = await services.rooms.admit(product, USERS[0], joined.number, joined.epoch)

    assert (answer.status_code, answer.json()["generation"]) == (200, 5)
    assert refused is Refusal.ADMISSION_REQUIRED
    assert isinstance(admitted, Admitted)
    admission = services.room_tokens.admission(USERS[0], product, 1, admitted.until)
    bought = Claim(product, USERS[0], 1, admission=admission)
    assert isinstance(await services.ledger.claim(bought, TOKEN, LEASE_MS), Claimed)


async def test_the_room_is_as_the_admin_described_it(desk, services, product):
    opens_at, from_at = later(), datetime(2026, 11, 29, 12, tzinfo=UTC)

    await open_(desk, product, {**BODY, "from": from_at.isoformat()}, startsAt=opens_at.isoformat())

    row, queue = await services.room_rows.get(product), await services.rooms.look(product)
    assert row.terms == replace(TERMS, from_at=from_at)
    assert row.opens_at == opens_at
    assert (queue.epoch, queue.mode, queue.issued, queue.drawn) == (1, "fifo", 0, None)
    assert queue.opens_at == opens_at.timestamp() * 1000
    assert queue.commitment == commitment(row.seed)


async def test_what_a_room_is_by_default(desk, services, product):
    await open_(desk, product, {})

    assert (await services.room_rows.get(product)).terms == RoomTerms()


async def test_nobody_joins_before_the_admin_says_so(desk, services, product):
    await open_(desk, product, {"from": later().isoformat()}, startsAt=later().isoformat())

    assert isinstance(await services.rooms.join(product, USERS[0]), NotYet)


async def test_without_a_secret_no_sale_has_a_room(desk, services, new_product):
    product = await new_product(10, on_sale=False)

    answer = await open_(desk, product)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_room_secret")
    assert "ROOM_SECRET" in answer.json()["detail"]
    assert await services.ledger.snapshot(product, count_claims=True) is None
    assert await services.room_rows.get(product, 1) is None


@pytest.mark.parametrize(
    "body",
    [
        {"room": {}, "generation": 4},
        {"room": {"mode": "lottery"}},
        {"room": {"maxInside": 0}},
        {"room": {"maxRate": "90"}},
        {"room": {"admissionSeconds": 9}},
        {"room": {"from": "2026-11-29T12:00:00"}},
        {"room": {"fromAt": "2026-11-29T12:00:00Z"}},
        {"room": {"seed": "ab" * 32}},
        {"room": True},
    ],
    ids=str,
)
async def test_a_room_that_cannot_be(desk, services, product, body):
    answer = await desk.act(product, "open", body)

    assert answer.status_code == 422, answer.text
    assert await services.room_rows.get(product, 1) is None


async def test_opening_again_on_the_same_terms_keeps_the_room(roomed):
    ticket = await roomed.join(USERS[0])
    before = await roomed.row()

    assert await roomed.open() is None

    assert await roomed.row() == before
    assert await roomed.join(USERS[0]) == ticket
    assert await roomed.services.room_rows.get(roomed.product_id, 2) is None


@pytest.mark.parametrize(
    "change",
    [{"max_inside": 4}, {"max_rate": 61}, {"mode": Mode.FIFO}, {"from_at": later()}, None],
    ids=["inside", "rate", "mode", "from", "no room"],  # the same in each process that collects
)
async def test_a_running_sale_keeps_its_room(roomed, change):
    ticket = await roomed.join(USERS[0])
    before = await roomed.row()
    room = replace(roomed.terms.room, **change) if change else None
    roomed.terms = replace(roomed.terms, room=room)

    assert await roomed.open() is Declined.SALE_RUNNING

    assert await roomed.row() == before
    assert await roomed.join(USERS[0]) == ticket
    assert await roomed.epoch() == 1


async def test_another_start_is_other_terms(roomed):
    roomed.terms = replace(roomed.terms, starts_at=None)

    assert await roomed.open() is Declined.SALE_RUNNING

    assert (await roomed.look()).epoch == 1


async def test_a_sale_that_runs_without_a_room_gets_none(services, new_product):
    sale = RoomedSale(services, await new_product(10))

    assert await sale.open() is Declined.SALE_RUNNING

    assert await sale.row() is None
    assert isinstance(await claim(services, sale.product_id), Claimed)


async def test_a_paused_sale_keeps_its_room(roomed):
    await sales.pause_sale(roomed.services, roomed.product_id)

    assert await roomed.open() is Declined.SALE_PAUSED

    assert (await roomed.row()).epoch == 1
    await sales.resume_sale(roomed.services, roomed.product_id)
    assert await claim(roomed.services, roomed.product_id) is Refusal.SALE_NOT_OPEN
    assert await roomed.open() is None


async def test_the_next_sale_has_another_draw(roomed):
    ticket = await roomed.join(USERS[0])
    first = await roomed.row()
    await sales.end_sale(roomed.services, roomed.product_id)

    assert await roomed.open() is None

    second = await roomed.row()
    assert (second.epoch, (await roomed.look()).epoch) == (2, 2)
    assert second.seed != first.seed
    assert (await roomed.look()).issued == 0
    assert await roomed.join(USERS[1], ticket) == (2, 0), "a ticket of the first room is worthless"


async def test_the_next_sale_may_have_no_room(roomed):
    await roomed.join(USERS[0])
    await sales.end_sale(roomed.services, roomed.product_id)

    opened = await sales.open_sale(roomed.services, roomed.product_id, Terms())

    assert opened is None
    assert (await roomed.row(), await roomed.look()) == (None, None)
    assert isinstance(await claim(roomed.services, roomed.product_id), Claimed)
    await sales.end_sale(roomed.services, roomed.product_id)
    orders = await roomed.services.ledger.take_unsent(roomed.product_id, 1)
    await roomed.services.orders.write_batch(orders)
    await roomed.services.ledger.settle(roomed.product_id, orders)
    assert await roomed.open() is None
    assert (await roomed.look()).epoch == 2, "no epoch comes twice"


async def test_an_opening_without_a_room_that_is_declined_keeps_the_room(services, new_product):
    sale = RoomedSale(services, await new_product(10, on_sale=False))
    await sale.open()
    ticket = await sale.join(USERS[0])
    await sales.pause_sale(services, sale.product_id)

    declined = await sales.open_sale(services, sale.product_id, Terms())

    assert declined is Declined.SALE_PAUSED
    assert (await sale.row()).epoch == 1
    assert await sale.join(USERS[0]) == ticket


async def test_a_product_of_another_generation_gets_no_room(services, new_product):
    sale = RoomedSale(services, await new_product(10))
    await sell(services, sale.product_id, USERS[:1])
    async with services.database.transaction() as connection:
        await connection.execute(
            "UPDATE orders SET generation = 4 WHERE product_id = %s", [sale.product_id]
        )
    await sales.end_sale(services, sale.product_id)

    assert await sale.open() is Declined.OTHER_GENERATION

    assert (await sale.row(), await sale.look()) == (None, None)
