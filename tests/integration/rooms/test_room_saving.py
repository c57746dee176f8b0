"""What the looks of a room write to PostgreSQL, and how it goes on without it."""

import asyncio
import logging
from dataclasses import replace

import pytest

from flashsale.redis_store.room_copies import RoomCopies
from flashsale.redis_store.scripts import Keys
from flashsale.usecases import room_looks
from tests.helpers.in_process import buyer_of
from tests.helpers.support import USERS
from tests.integration.rooms.room_shop import SECRET, RoomShop, now, room_key


async def move_opening(room, milliseconds):
    """Set the moment of opening, from now."""
    for key, field in [
        (room_key(room.product_id), "opens_at"),
        (Keys(room.product_id).sale, "starts_at"),
    ]:
        await room.services.redis.hset(key, field, now() + milliseconds)


async def test_postgresql_has_the_draw_before_anybody_sees_it(services, new_room):
    room = await new_room()
    for user in USERS[:3]:
        await room.ticket(user)
    await move_opening(room, -1)

    due = await room.look()
    await room.saved()
    row = await services.room_rows.get(room.product_id)
    shown = await room.look()

    assert (due["state"], "seed" in due) == ("prequeue", False)
    assert row.drawn == shown["drawn"] == 3
    assert (shown["state"], shown["seed"]) == ("open", row.seed)


async def test_how_far_a_room_is_is_saved_each_ten_seconds(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])
    await room.begin()
    await room.call(1)
    saver = Keys(room.product_id).door_saver
    await room.end_turn()

    await room.look()
    await room.saved()
    first = await services.room_rows.get(room.product_id)
    left = await services.redis.pttl(saver)
    await services.redis.persist(saver)  # however slow this machine is
    await room.ticket(USERS[1])
    await room.look()
    await room.saved()
    same = await services.room_rows.get(room.product_id)
    await room.end_turn()
    await room.look()
    await room.saved()

    assert (first.serving, first.issued) == (1, 1)
    assert (same.serving, same.issued) == (1, 1)
    assert 0 < left <= 10_000
    assert (await services.room_rows.get(room.product_id)).issued == 2


async def test_on_lambda_the_look_itself_saves(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])
    services.settings = replace(services.settings, one_at_a_time=True)
    await move_opening(room, -1)

    await room.look()

    assert (await services.room_rows.get(room.product_id)).drawn == 1
    assert (await room.look())["drawn"] == 1


@pytest.mark.parametrize("one_at_a_time", [False, True])
async def test_without_postgresql_the_draw_is_shown_later(without, new_room, caplog, one_at_a_time):
    room = await new_room()
    for user in USERS[:2]:
        await room.ticket(user)
    await move_opening(room, -1)
    caplog.set_level(logging.WARNING)
    services = without("database_url")
    services.settings = replace(
        services.settings, room_secrets=(SECRET,), one_at_a_time=one_at_a_time
    )
    services.room_copies = RoomCopies(room.clock)

    async with buyer_of(services) as http:
        there = RoomShop(services, http, room.clock, room.product_id)
        hidden = await there.look()
        await there.saved()
        await move_opening(room, -10_000)
        shown = await there.look()
        await there.saved()

    assert (hidden["state"], "seed" in hidden) == ("prequeue", False)
    assert f"the room of {room.product_id} was not saved" in caplog.text
    assert (shown["state"], shown["drawn"]) == ("open", 2)


async def test_postgresql_gets_a_draw_that_was_shown_without_it(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])
    await services.redis.hset(room_key(room.product_id), mapping={"drawn": 1, "shown": 1})
    await room.end_turn()

    await room.look()
    await room.saved()

    assert (await services.room_rows.get(room.product_id)).drawn == 1


async def test_a_look_does_not_wait_for_postgresql(services, new_room, monkeypatch):
    room = await new_room()
    answers = asyncio.Event()

    async def hang(*_):
        await answers.wait()

    monkeypatch.setattr(services.room_rows, "save", hang)
    await room.end_turn()

    looks = [await room.look() for _ in range(3)]

    assert [look["state"] for look in looks] == ["prequeue"] * 3
    assert len(services.room_copies._works) == 1, "one at a time"
    answers.set()
    await room.saved()


async def test_saving_that_takes_too_long_is_given_up(services, new_room, monkeypatch, caplog):
    room = await new_room()
    monkeypatch.setattr(room_looks, "SAVE_TIME_IN_A_REQUEST", 0.01)
    monkeypatch.setattr(services.room_rows, "save", lambda *_: asyncio.Event().wait())
    services.settings = replace(services.settings, one_at_a_time=True)
    await room.end_turn()

    assert (await room.look())["state"] == "prequeue"

    assert f"the room of {room.product_id} was not saved" in caplog.text
