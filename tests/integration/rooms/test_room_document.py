"""The document of a room: one look a second for all who ask, also while Redis is down."""

import asyncio
from dataclasses import replace

import pytest

from flashsale.http import rooms as routes
from flashsale.redis_store.room_copies import RoomCopies
from flashsale.redis_store.scripts import Keys
from flashsale.services import Services
from tests.helpers.in_process import buyer_of
from tests.helpers.support import USERS
from tests.integration.refusals import commands
from tests.integration.rooms.room_shop import RoomShop
from tests.integration.test_v5_api import is_problem

FIELDS = {
    "state", "now", "opensAt", "mode", "epoch", "commitment", "issued", "serving", "waiting",
    "ratePerMinute", "callsLastMinute", "why", "inside", "maxInside", "stock", "held", "pollAfter",
    "stale",
}  # fmt: skip


async def test_the_document_may_be_cached_and_needs_no_token(services, new_room):
    room = await new_room(max_inside=7, max_rate=90)
    services.settings = replace(services.settings, auth="jwt")

    answer = await room.http.get(room.path)

    assert answer.headers["cache-control"] == (
        "public, max-age=1, stale-while-revalidate=5, stale-if-error=60"
    )
    document = answer.json()
    assert set(document) == FIELDS
    assert (document["state"], document["mode"]) == ("prequeue", "draw_at_opening")
    assert (document["maxInside"], document["stock"], document["held"]) == (7, 10, 0)
    assert (document["pollAfter"], document["stale"]) == (2, False)


async def test_a_copy_is_sent_as_fastapi_would_answer(new_room):
    room = await new_room()
    room.clock.seconds += 1

    first, direct = [await room.http.get(room.path) for _ in range(2)]

    assert (direct.status_code, direct.headers) == (first.status_code, first.headers)
    assert direct.content == first.content
    assert is_problem(await room.http.put(room.path), 405, "method_not_allowed")
    assert is_problem(await room.http.get(f"{room.path}/"), 404, "not_found")
    assert is_problem(await room.http.get("/api/v5/rooms/{p}"), 422, "invalid")


async def test_head_is_answered_like_get(new_room):
    room = await new_room()
    read = await room.http.get(room.path)

    head = await room.http.head(room.path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["cache-control"] == read.headers["cache-control"]


async def test_polls_within_a_second_send_redis_nothing(services, new_room):
    room = await new_room()
    await room.look()
    before = await commands(services)

    answers = [await room.http.get(room.path) for _ in range(50)]

    assert await commands(services) == before
    assert {answer.content for answer in answers} == {answers[0].content}


async def test_the_bytes_of_a_copy_are_made_once(new_room, monkeypatch):
    room, made = await new_room(), []
    body_of = routes.RoomBody.of
    monkeypatch.setattr(
        routes.RoomBody, "of", lambda view, **more: made.append(view) or body_of(view, **more)
    )

    for _ in range(3):
        await room.http.get(room.path)
    await room.look()

    assert len(made) == 2


async def test_a_hundred_clients_share_one_look(services, new_room):
    room = await new_room()
    await room.look()
    room.clock.seconds += 1
    before = await commands(services)

    answers = await asyncio.gather(*(room.http.get(room.path) for _ in range(100)))

    seen = await commands(services) - before
    assert {answer.status_code for answer in answers} == {200}
    assert seen["evalsha"] == 2, "look.lua and advance.lua"


async def test_a_client_that_goes_does_not_end_the_look_of_others(new_room):
    room = await new_room()
    room.clock.seconds += 1
    first, second = (asyncio.create_task(room.http.get(room.path)) for _ in range(2))
    await asyncio.sleep(0)  # both have asked

    first.cancel()

    assert (await second).status_code == 200


async def test_a_product_without_a_room_is_looked_for_once_a_second(
    services, new_room, new_product
):
    room = await new_room()
    room.path = f"/api/v5/rooms/{await new_product(1)}"
    assert is_problem(await room.http.get(room.path), 404, "not_found")
    before = await commands(services)

    assert is_problem(await room.http.get(room.path), 404, "not_found")

    assert await commands(services) == before


async def test_two_processes_see_one_room(services, new_room):
    room = await new_room()
    other = Services(services.settings)
    other.room_copies = RoomCopies(room.clock)
    async with buyer_of(other) as http:
        there = RoomShop(other, http, room.clock, room.product_id)
        places = [
            (await where.join(user)).json()["arrival"]
            for where, user in [(room, USERS[0]), (there, USERS[1]), (there, USERS[0])]
        ]
        await room.begin()
        await room.call(2)
        here = await room.look()
        seen = await there.look()
        both = [(await where.enter(await there.ticket(USERS[0]))).json() for where in (room, there)]
    await other.close()

    assert places == [0, 1, 0]
    assert both[0] == both[1]
    for name in ("seed", "drawn", "serving", "issued", "epoch"):
        assert here[name] == seen[name]


async def test_while_redis_is_down_the_copy_is_shown_for_a_minute(services, new_room, stack):
    room = await new_room()
    before = await room.look()
    stack.supervisor.stop_program("valkey")
    try:
        stale = await room.look()
        again = await room.http.get(room.path)
        room.clock.seconds += 57
        last = await room.look()
        room.clock.seconds += 1
        gone = await room.http.get(room.path)
        joins = await room.join(USERS[0])
    finally:
        stack.start(stack.redis)

    assert stale == {**before, "stale": True}
    assert again.json() == stale
    assert last == stale
    for refused in (gone, joins):
        assert is_problem(refused, 503, "unavailable")
        assert "retry-after" in refused.headers
    assert (await room.look())["stale"] is False


async def test_a_room_that_redis_has_lost_is_no_unknown_room(services, new_room):
    room = await new_room()
    before = await room.look()
    keys = [key async for key in services.redis.scan_iter(f"{{{room.product_id}*")]
    await services.redis.delete(*keys)

    stale = await room.look()
    room.clock.seconds += 60
    lost = await room.http.get(room.path)
    await services.room_rows.close(room.product_id)  # as when it is opened without a room
    room.clock.seconds += 1
    closed = await room.http.get(room.path)

    assert stale == {**before, "stale": True}
    assert is_problem(lost, 503, "unavailable")
    assert is_problem(closed, 404, "not_found")


@pytest.mark.parametrize(("stock", "state"), [(1, "open"), (0, "sold_out")])
async def test_the_state_says_whether_units_are_left(services, new_room, stock, state):
    room = await new_room(stock)

    document = await room.begin()

    assert document["state"] == state


async def test_a_paused_room_keeps_places_and_calls_nobody(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])
    await services.rooms.set_paused(room.product_id, paused=True)
    await services.redis.hset(Keys(room.product_id).door, "at", 0)

    document = await room.begin()

    assert (document["state"], document["why"], document["serving"]) == ("paused", "paused", 0)


async def test_a_hundred_thousand_joins_of_one_user_are_one_place(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])

    for _ in range(100):
        await asyncio.gather(
            *(services.rooms.join(room.product_id, USERS[0]) for _ in range(1_000))
        )

    assert (await room.look())["issued"] == 1


async def test_a_repeated_join_costs_one_script(services, new_room):
    room = await new_room()
    await room.ticket(USERS[0])
    before = await commands(services)

    await room.join(USERS[0])

    seen = await commands(services) - before
    assert seen["evalsha"] == 1
