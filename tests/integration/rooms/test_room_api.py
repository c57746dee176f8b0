"""Waiting rooms over HTTP: join, wait, be admitted, buy, leave; and who gets nothing."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from flashsale.domain.draw import place_of
from flashsale.domain.rooms import Mode
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.sales import end_sale
from tests.helpers.support import USERS
from tests.integration.rooms.room_shop import now, room_key
from tests.integration.test_v5_api import is_problem


async def test_a_user_has_one_place_on_every_device(new_room):
    room = await new_room()

    first, other, again = [await room.join(user) for user in (USERS[0], USERS[1], USERS[0])]

    assert [answer.json()["arrival"] for answer in (first, other, again)] == [0, 1, 0]
    assert again.json() == first.json()
    assert (await room.look())["issued"] == 2


async def test_a_user_waits_is_admitted_and_buys_once(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    before = await room.enter(ticket)
    await room.begin()
    await room.call(1)

    entered, again = await room.enter(ticket), await room.enter(ticket)
    admission = entered.json()["admission"]
    bought, twice = await room.buy(USERS[0], admission), await room.buy(USERS[0], admission)

    unknown = dict.fromkeys(("place", "ahead", "waitFrom", "waitTo", "chance"))
    assert (before.status_code, before.json()) == (202, unknown)
    assert 1 <= int(before.headers["retry-after"]) <= 30
    assert again.json() == entered.json()
    assert datetime.fromisoformat(entered.json()["expiresAt"]) > datetime.now(UTC)
    assert bought.status_code == 202
    assert is_problem(twice, 403, "admission_required")
    assert is_problem(await room.enter(ticket), 410, "place_lapsed")


async def test_users_are_called_in_the_order_that_the_document_tells(new_room):
    room = await new_room()
    tickets = [await room.ticket(user) for user in USERS[:8]]
    secret = await room.look()
    await room.begin()

    shown = await room.call(8)
    places = [(await room.enter(ticket)).json() for ticket in tickets]

    assert "seed" not in secret
    assert "drawn" not in secret
    seed = bytes.fromhex(shown["seed"])
    assert sha256(seed).hexdigest() == shown["commitment"] == secret["commitment"]
    assert shown["drawn"] == 8
    assert sorted(place_of(n, 8, seed) for n in range(8)) == list(range(8))
    assert all("admission" in place for place in places)


async def test_who_is_not_called_learns_how_many_are_ahead(new_room):
    room = await new_room()
    tickets = [await room.ticket(user) for user in USERS[:60]]
    await room.begin()
    await room.opened(seconds_ago=60)
    document = await room.call(1)

    answers = [await room.enter(ticket) for ticket in tickets]

    seed, serving = bytes.fromhex(document["seed"]), document["serving"]
    waiting = [(n, a) for n, a in enumerate(answers) if a.status_code == 202 and a.json()["ahead"]]
    assert waiting
    for number, answer in waiting:
        turn = answer.json()
        assert turn["place"] == place_of(number, 60, seed)
        assert turn["ahead"] == turn["place"] - serving
        assert turn["waitFrom"] <= turn["waitTo"]
        assert turn["chance"] in ("likely", "uncertain", "unlikely")
        assert 1 <= int(answer.headers["retry-after"]) <= document["pollAfter"]


async def test_a_full_room_says_to_ask_again_in_a_second(new_room):
    room = await new_room(max_inside=1)
    tickets = [await room.ticket(user) for user in USERS[:2]]
    await room.begin()
    await room.call(1)
    await room.services.redis.hset(Keys(room.product_id).door, "serving", 2)

    answers = [await room.enter(ticket) for ticket in tickets]

    assert sorted(answer.status_code for answer in answers) == [200, 202]
    (full,) = [answer for answer in answers if answer.status_code == 202]
    assert full.json()["ahead"] == 0
    assert full.headers["retry-after"] == "1"


async def test_who_was_called_long_ago_joins_again_at_the_end(new_room):
    room = await new_room()
    ticket, _ = await room.ticket(USERS[0]), await room.ticket(USERS[1])
    await room.begin()
    await room.call(2)
    await room.lapse()

    refused = await room.enter(ticket)
    forgotten = await room.join(USERS[0])
    anew = await room.join(USERS[0], ticket)
    repeated = await room.join(USERS[0], ticket)

    assert is_problem(refused, 410, "place_lapsed")
    assert forgotten.json()["arrival"] == 0, "without the old ticket it is the old place"
    assert anew.json()["arrival"] == 2
    assert repeated.json() == anew.json()
    assert not anew.json()["prequeue"]
    assert is_problem(await room.enter(ticket), 410, "place_lapsed")
    await room.call(3)
    assert (await room.enter(anew.json()["ticket"])).status_code == 200


async def test_nobody_gets_a_new_place_before_theirs_has_lapsed(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    await room.ticket(USERS[1])

    before = await room.join(USERS[0], ticket)
    await room.begin()
    await room.call(2)
    called = await room.join(USERS[0], ticket)

    assert before.json()["arrival"] == called.json()["arrival"] == 0


async def test_a_ticket_with_the_number_of_another_user_enters_nowhere(services, new_room):
    room = await new_room()
    await room.ticket(USERS[1])
    await room.ticket(USERS[0])
    await room.begin()
    await room.call(2)
    stolen = services.room_tokens.ticket(USERS[0], room.product_id, 1, 0)  # by a leaked secret

    assert is_problem(await room.enter(stolen), 410, "place_lapsed")
    assert (await room.join(USERS[0], stolen)).json()["arrival"] == 1
    assert (await room.look())["inside"] == 0


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_ticket_says_whether_its_place_is_to_be_drawn(new_room, mode):
    room = await new_room(mode=mode)
    before = (await room.join(USERS[0])).json()
    await room.begin()
    after = [(await room.join(user)).json() for user in USERS[:2]]

    assert before["prequeue"] is (mode is Mode.DRAW)
    assert [one["prequeue"] for one in after] == [False, False]


async def test_joining_again_lets_nobody_in(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    await room.begin()
    await room.call(1)

    assert (await room.join(USERS[0], ticket)).json()["arrival"] == 0

    assert (await room.look())["inside"] == 0
    assert await room.admission(ticket)


async def test_who_leaves_frees_their_slot_and_cannot_come_back(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    await room.begin()
    await room.call(1)
    admission = await room.admission(ticket)

    left, again = await room.leave(ticket), await room.leave(ticket)

    assert (left.status_code, left.content, again.status_code) == (204, b"", 204)
    assert (await room.look())["inside"] == 0
    assert is_problem(await room.buy(USERS[0], admission), 403, "admission_required")
    assert is_problem(await room.enter(ticket), 410, "place_lapsed")


async def test_an_admission_that_ran_out_buys_nothing(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    await room.begin()
    await room.call(1)
    admission = await room.admission(ticket)
    await room.expel(USERS[0])

    assert is_problem(await room.buy(USERS[0], admission), 403, "admission_required")
    ended = room.services.room_tokens.admission(USERS[0], room.product_id, 1, now() - 60_000)
    await room.look()
    assert is_problem(await room.buy(USERS[0], ended), 403, "admission_over")


async def test_nobody_joins_before_the_room_opens(new_room):
    from_at = datetime.now(UTC) + timedelta(minutes=30)
    room = await new_room(from_at=from_at)

    refused = await room.join(USERS[0])

    assert is_problem(refused, 409, "room_closed")
    assert 1_700 < int(refused.headers["retry-after"]) <= 1_800
    document = await room.look()
    assert document["state"] == "closed"
    assert datetime.fromisoformat(document["from"]) - from_at < timedelta(milliseconds=1)


async def test_a_room_in_order_has_no_draw(new_room):
    room = await new_room(mode=Mode.FIFO)
    tickets = [await room.ticket(user) for user in USERS[:3]]
    await room.begin()
    await room.call(3)
    await room.services.redis.hset(Keys(room.product_id).door, "serving", 1)

    answers = [await room.enter(ticket) for ticket in tickets]

    assert [answer.status_code for answer in answers] == [200, 202, 202]
    assert [answer.json()["place"] for answer in answers[1:]] == [1, 2]


@pytest.mark.parametrize("action", ["look", "join", "enter", "leave"])
async def test_a_product_without_a_room_is_404(services, new_room, new_product, action):
    room = await new_room()
    ticket = services.room_tokens.ticket(USERS[0], room.product_id, 1, 0)
    for product_id in (await new_product(1), "no-such-product"):
        room.path = f"/api/v5/rooms/{product_id}"

        answer = await {
            "look": lambda: room.http.get(room.path),
            "join": lambda: room.join(USERS[0]),
            "enter": lambda: room.enter(ticket),
            "leave": lambda: room.leave(ticket),
        }[action]()

        assert is_problem(answer, 404, "not_found")


async def test_nobody_joins_or_enters_a_sale_that_is_over(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    await end_sale(room.services, room.product_id)

    assert (await room.look())["state"] == "ended"
    assert is_problem(await room.join(USERS[0]), 409, "sale_not_open")
    assert is_problem(await room.enter(ticket), 409, "sale_not_open")


@pytest.mark.parametrize("body", [{}, {"userId": ""}, {"userId": "a b"}, {"user": "u"}, None, []])
async def test_a_body_without_a_user_is_422(new_room, body):
    room = await new_room()

    answer = await room.http.post(f"{room.path}/tickets", json=body)

    assert is_problem(answer, 422, "invalid")
    assert (await room.look())["issued"] == 0


async def test_a_place_survives_the_loss_of_the_queue(new_room):
    room = await new_room()
    tickets = [await room.ticket(user) for user in USERS[:3]]
    await room.begin()
    await room.call(3)
    await room.services.redis.delete(room_key(room.product_id).replace(":room", ":places"))

    entered = await room.enter(tickets[2])
    late = await room.join(USERS[5])

    assert entered.status_code == 200
    assert (await room.join(USERS[2])).json()["arrival"] == 2
    assert late.json()["arrival"] == 3


async def test_a_header_that_comes_twice_is_422(new_room):
    room = await new_room()
    ticket = await room.ticket(USERS[0])
    body = {"productId": room.product_id, "userId": USERS[0]}

    enter = await room.http.post(
        f"{room.path}/admission", headers=[("Ticket", "none"), ("Ticket", ticket)]
    )
    buy = await room.http.post(
        "/api/v5/buy", json=body, headers=[("Admission", ""), ("Admission", "a.b.c")]
    )

    assert is_problem(enter, 422, "invalid")
    assert is_problem(buy, 422, "invalid")
