"""Claims that go round a waiting room: by every door, also with the edge's check switched off."""

import json
import time
import uuid
from types import SimpleNamespace

import pytest

from flashsale.auth.room_tokens import RoomTokens
from flashsale.domain.model import Terms
from flashsale.domain.rooms import Mode, RoomTerms
from flashsale.http.application import create_app
from flashsale.http.gateway import lambda_handler
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.usecases.sales import end_sale, open_sale
from flashsale_local.sale.seed import seed
from tests.helpers.edges import JSON, Lambda
from tests.helpers.support import USERS, eventually
from tests.hostile.shop import Shop

ME, OTHER = USERS[0], USERS[1]
INSIDE = {"admission_required", "admission_over"}


@pytest.fixture
def blind_lambda(lambda_services, one_thread, monkeypatch):
    """Return the buy function with a process that never knows of a room: Redis decides alone."""
    known = KnownRooms(None)
    monkeypatch.setattr(lambda_services.ledger, "_known_rooms", known)
    return Lambda(lambda_handler(create_app(lambda: lambda_services)), one_thread)


@pytest.fixture(params=["asgi", "aws_lambda", "blind_lambda"])
def door(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def tokens(target):
    return RoomTokens((target.room_secret,))


@pytest.fixture
def new_room(stores, lambda_services, one_thread):
    """Return a function that puts a new product on sale behind a room."""

    def make(product_id=None):
        made = product_id or f"t-{uuid.uuid4().hex[:12]}"

        async def begin():
            if product_id:
                await end_sale(lambda_services, product_id)
            else:
                await seed(lambda_services, USERS[:3], [made], 10)
            terms = Terms(room=RoomTerms(mode=Mode.FIFO))
            assert await open_sale(lambda_services, made, terms) is None

        one_thread.submit(Lambda.run, begin).result()
        return Shop(made, *stores)

    return make


def visit(edge, room):
    """Return a client of a room at this edge."""
    path = f"/api/v5/rooms/{room.product_id}"

    def ticket(user):
        body = json.dumps({"userId": user}).encode()
        return edge.request("POST", f"{path}/tickets", body).json["ticket"]

    def enter(ticket):
        return edge.request("POST", f"{path}/admission", headers={"ticket": ticket})

    def look():
        return edge.request("GET", path).json

    return SimpleNamespace(ticket=ticket, enter=enter, look=look)


def admitted(edge, room, user):
    """Join and wait; return ticket and admission."""
    visitor = visit(edge, room)
    ticket = visitor.ticket(user)
    eventually(lambda: visitor.look()["serving"] > 0 and visitor.enter(ticket).status == 200)
    return ticket, visitor.enter(ticket).json["admission"]


def buy(edge, room, admission, user=ME):
    headers = JSON if admission is None else JSON | {"Admission": admission}
    return edge.request("POST", "/api/v5/buy", room.body(userId=user), headers)


def is_refused(edge, room, admission, user=ME):
    """Check that a user who is not inside claims nothing."""
    before = room.books()
    for _ in range(3):  # a process that has learned of the room answers by itself
        answer = buy(edge, room, admission, user)
        assert answer.status == 403, answer.body
        assert answer.json["code"] in INSIDE
    assert room.books() == before
    return True


def test_no_admission_but_ones_own_buys(door, new_room, tokens):
    room, another = new_room(), new_room()
    in_an_hour = int(time.time() * 1000) + 3_600_000
    ticket, admission = admitted(door, room, ME)
    _, elsewhere = admitted(door, another, ME)
    _, of_other = admitted(door, room, OTHER)

    another_secret = RoomTokens(("another secret of as many letters as it takes",))
    for wrong in (
        None,
        "",
        ticket,
        admission,
        of_other,
        elsewhere,
        tokens.admission(USERS[2], room.product_id, 2, in_an_hour),
        another_secret.admission(USERS[2], room.product_id, 1, in_an_hour),
        # Even with the secret itself nobody is inside. Only the script can know that.
        tokens.admission(USERS[2], room.product_id, 1, in_an_hour),
    ):
        assert is_refused(door, room, wrong, user=USERS[2])

    assert buy(door, room, admission).status == 202
    assert is_refused(door, room, admission)


def test_an_admission_of_an_earlier_room_buys_nothing(door, new_room):
    room = new_room()
    ticket, admission = admitted(door, room, ME)
    new_room(room.product_id)
    visitor = visit(door, room)
    eventually(lambda: visitor.look()["epoch"] == 2)

    assert is_refused(door, room, admission)
    old = visitor.enter(ticket)
    assert (old.status, old.json["code"]) == (401, "ticket_invalid")
    assert old.headers["www-authenticate"] == "Ticket"


def test_a_ticket_that_is_not_ones_own_enters_nowhere(door, new_room, tokens):
    room, another = new_room(), new_room()
    visitor = visit(door, room)
    ticket, _ = admitted(door, room, ME)

    for wrong in (
        "",
        "no-token",
        visit(door, another).ticket(ME),
        tokens.ticket(ME, room.product_id, 2, 0),
        tokens.admission(ME, room.product_id, 1, 9_999_999_999_999),
        f"{ticket[:-1]}{'A' if ticket[-1] != 'A' else 'B'}",
    ):
        answer = visitor.enter(wrong)
        assert (answer.status, answer.json["code"]) == (401, "ticket_invalid"), wrong
    for malformed in ("a b", "a,b", "x" * 1025, f"{ticket},{ticket}"):
        assert visitor.enter(malformed).status == 422


def test_who_needs_a_token_cannot_use_the_ticket_of_another(guarded_edge, new_room, bearer):
    room = new_room()
    path = f"/api/v5/rooms/{room.product_id}"

    def ask(method, where, user, ticket="", body=b""):
        headers = (bearer(user) if user else {}) | ({"ticket": ticket} if ticket else {}) | JSON
        return guarded_edge.request(method, f"{path}/{where}", body, headers)

    eventually(lambda: guarded_edge.request("GET", path).status == 200)
    mine = ask("POST", "tickets", ME).json["ticket"]

    assert ask("POST", "tickets", None).status == 401
    assert ask("POST", "tickets", ME, body=json.dumps({"userId": OTHER}).encode()).status == 403
    for method, where in (("POST", "admission"), ("DELETE", "tickets/mine")):
        for user in (OTHER, None):
            answer = ask(method, where, user, mine)
            assert answer.status == 401
            assert answer.json["code"] == ("ticket_invalid" if user else "unauthorized")
    assert ask("POST", "tickets", OTHER, mine).json["arrival"] == 1, "the ticket was of no use"
    assert ask("DELETE", "tickets/mine", ME, mine).status == 204
