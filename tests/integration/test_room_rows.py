"""What PostgreSQL keeps of waiting rooms."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.rooms import Mode, RoomTerms
from flashsale.errors import OrderRejected

SEED, OTHER_SEED = "ab" * 32, "cd" * 32
TERMS = RoomTerms(
    Mode.FIFO,
    from_at=datetime(2026, 11, 29, 12, tzinfo=UTC),
    max_inside=7,
    max_rate=30,
    admission_seconds=60,
    call_seconds=90,
)
OPENS_AT = datetime(2026, 11, 29, 13, tzinfo=UTC)


@pytest.fixture
async def product(new_product):
    return await new_product(5, on_sale=False)


async def opened(services, product_id, terms=TERMS, seed=SEED, **more):
    room = await services.room_rows.prepare(product_id, terms, OPENS_AT, seed, **more)
    await services.room_rows.mark_opened(product_id, room.epoch)
    return room


async def change(services, product_id, **changes):
    async with services.database.transaction() as connection:
        return await services.room_rows.change(connection, product_id, **changes)


async def test_a_room_is_read_as_it_was_written(services, product):
    prepared = await services.room_rows.prepare(product, TERMS, OPENS_AT, SEED)
    before = await services.room_rows.get(product)
    await services.room_rows.mark_opened(product, 1)

    room = await services.room_rows.get(product)

    assert before is None, "no sale was opened with it yet"
    assert room == replace(prepared, opened=True)
    assert (room.epoch, room.terms, room.opens_at, room.seed) == (1, TERMS, OPENS_AT, SEED)
    assert (room.drawn, room.serving, room.issued, room.paused) == (None, 0, 0, False)
    assert await services.room_rows.get(product, 2) is None


async def test_an_opening_that_is_repeated_gets_the_same_room(services, product):
    first = await services.room_rows.prepare(product, TERMS, OPENS_AT, SEED)

    repeated = await services.room_rows.prepare(product, TERMS, OPENS_AT, OTHER_SEED)

    assert repeated == first


async def test_without_an_opening_time_a_repeated_opening_keeps_the_first_one(services, product):
    first = await services.room_rows.prepare(product, TERMS, None, SEED)

    assert await services.room_rows.prepare(product, TERMS, None, SEED) == first


@pytest.mark.parametrize(
    "change",
    [
        {"mode": Mode.DRAW},
        {"from_at": None},
        {"max_inside": 8},
        {"max_rate": 31},
        {"admission_seconds": 61},
        {"call_seconds": 91},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_other_terms_get_the_next_epoch(services, product, change):
    await services.room_rows.prepare(product, TERMS, OPENS_AT, SEED)

    other = await services.room_rows.prepare(product, replace(TERMS, **change), OPENS_AT, SEED)

    assert (other.epoch, other.terms) == (2, replace(TERMS, **change))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (OPENS_AT, OPENS_AT + timedelta(hours=1)),
        (datetime(2090, 1, 1, tzinfo=UTC), None),
    ],
    ids=["later", "at once instead"],
)
async def test_another_opening_time_gets_the_next_epoch(services, product, first, then):
    await services.room_rows.prepare(product, TERMS, first, SEED)

    other = await services.room_rows.prepare(product, TERMS, then, SEED)

    assert other.epoch == 2
    assert other.opens_at == then if then else other.opens_at < first


async def test_the_next_sale_has_a_new_room(services, product):
    await opened(services, product)

    after = await services.room_rows.prepare(product, TERMS, OPENS_AT, OTHER_SEED, after=1)
    beyond = await services.room_rows.prepare(product, TERMS, OPENS_AT, OTHER_SEED, after=6)

    assert (after.epoch, after.seed, after.issued) == (2, OTHER_SEED, 0)
    assert beyond.epoch == 7, "an epoch that Redis knows is never used again"
    assert (await services.room_rows.get(product)).epoch == 1, "until that sale is opened"


async def test_a_room_whose_sale_redis_has_lost_is_used_again(services, product):
    room = await opened(services, product)
    await services.room_rows.save(product, 1, serving=3, issued=20)

    lost = await services.room_rows.prepare(product, TERMS, OPENS_AT, OTHER_SEED, lost=True)
    known = await services.room_rows.prepare(product, TERMS, OPENS_AT, OTHER_SEED)

    assert (lost.epoch, lost.seed, lost.serving, lost.issued) == (1, room.seed, 3, 20)
    assert known.epoch == 2


async def test_openings_at_the_same_time_get_the_same_room(services, product):
    rooms = await asyncio.gather(
        *(services.room_rows.prepare(product, TERMS, OPENS_AT, SEED) for _ in range(10))
    )

    assert {room.epoch for room in rooms} == {1}


async def test_openings_on_other_terms_at_the_same_time_get_rooms_of_their_own(services, product):
    terms = [replace(TERMS, max_inside=number) for number in range(1, 9)]

    rooms = await asyncio.gather(
        *(services.room_rows.prepare(product, one, OPENS_AT, SEED) for one in terms)
    )

    assert [room.terms for room in rooms] == terms
    assert len({room.epoch for room in rooms}) == len(terms)


async def test_what_was_saved_never_falls(services, product):
    await opened(services, product)

    for serving, issued in ((10, 50), (4, 60), (12, 30)):
        await services.room_rows.save(product, 1, serving, issued)

    room = await services.room_rows.get(product)
    assert (room.serving, room.issued) == (12, 60)


async def test_a_room_that_is_saved_is_open(services, product):
    """The opening may have died after the last step that users see."""
    await services.room_rows.prepare(product, TERMS, OPENS_AT, SEED)

    await services.room_rows.save(product, 1, serving=0, issued=5)

    assert (await services.room_rows.get(product)).opened


async def test_serving_is_never_beyond_issued(services, product):
    await opened(services, product)

    await services.room_rows.save(product, 1, serving=9, issued=5)

    room = await services.room_rows.get(product)
    assert (room.serving, room.issued) == (9, 9)


async def test_joins_a_minute_are_those_since_the_last_save(services, product):
    await opened(services, product)
    for issued in (100, 400):
        async with services.database.transaction() as connection:
            await connection.execute(
                "UPDATE rooms SET saved_at = now() - interval '10 s' WHERE product_id = %s",
                [product],
            )
        await services.room_rows.save(product, 1, serving=0, issued=issued)

    joins = (await services.room_rows.get(product)).joins_a_minute

    assert 0 < joins <= 1_800, "300 in 10 s, or more if this machine is slow"


async def test_an_early_save_is_no_rate(services, product):
    await opened(services, product)

    await services.room_rows.save(product, 1, serving=0, issued=10_000)

    assert (await services.room_rows.get(product)).joins_a_minute <= 60_000


async def test_saves_of_many_processes_at_once_keep_the_rate(services, product):
    await opened(services, product)
    for _ in range(3):
        await services.room_rows.save(product, 1, serving=0, issued=10_000)

    assert (await services.room_rows.get(product)).joins_a_minute > 10_000


async def test_a_draw_is_saved_once(services, product):
    await opened(services, product)

    drawn = await asyncio.gather(
        *(services.room_rows.save_draw(product, 1, number) for number in (41, 42, 43))
    )

    assert len(set(drawn)) == 1
    assert (await services.room_rows.get(product)).drawn == drawn[0]


async def test_a_product_that_is_sold_without_a_room_has_none(services, product):
    await opened(services, product)

    await services.room_rows.close(product)

    assert await services.room_rows.get(product) is None
    assert not await change(services, product, paused=True)
    later = await opened(services, product, lost=True)
    assert later.epoch == 2, "tickets of the first room stay worthless"
    assert (await services.room_rows.get(product)).epoch == 2


async def test_an_admin_changes_the_room_that_guards_the_product(services, product):
    await opened(services, product)
    await services.room_rows.prepare(product, TERMS, OPENS_AT, SEED, after=1)

    paused = await change(services, product, paused=True)
    faster = await change(services, product, max_rate=90)
    room = await services.room_rows.get(product)
    resumed = await change(services, product, paused=False)

    assert (paused, faster, resumed) == (True, True, True)
    assert (room.epoch, room.paused, room.terms.max_rate) == (1, True, 90)
    assert (await services.room_rows.get(product)).paused is False
    assert (await services.room_rows.get(product, 2)).terms == TERMS


async def test_a_product_without_rooms(services, product):
    assert await services.room_rows.get(product) is None
    assert not await change(services, product, max_rate=5)
    await services.room_rows.close(product)


@pytest.mark.parametrize("seed", ["", "ab", "zz" * 32])
async def test_a_seed_that_is_not_32_bytes_is_refused(services, product, seed):
    with pytest.raises(OrderRejected):
        await services.room_rows.prepare(product, TERMS, OPENS_AT, seed)
