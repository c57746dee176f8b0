"""Admin API: authorization, validation, audit, and the books."""

import time
import uuid

import jwt
import pytest

from flashsale.errors import PushRefused
from flashsale.http import admin_rooms
from flashsale.http.admin import router
from flashsale_local.cli import verify
from flashsale_local.deployment import sign_in
from tests.helpers.admin_desk import SECRET, books_of, sell, token
from tests.helpers.support import USERS
from tests.integration.test_v5_api import is_problem

REQUESTS = [
    ("POST", "/products"),
    ("POST", "/products/p-01/open"),
    ("POST", "/products/p-01/pause"),
    ("POST", "/products/p-01/resume"),
    ("POST", "/products/p-01/end"),
    ("POST", "/products/p-01/restock"),
    ("POST", "/products/p-01/room/pause"),
    ("POST", "/products/p-01/room/resume"),
    ("POST", "/products/p-01/room/rate"),
    ("POST", "/orders/o-1/cancel"),
    ("GET", "/products/p-01/books"),
    ("GET", "/books"),
    ("GET", "/audit"),
    ("GET", "/payments"),
    ("POST", "/payments/pi-1/refunded"),
]


def new_id():
    return f"a-{uuid.uuid4().hex[:10]}"


def product(product_id, **fields):
    return {"id": product_id, "name": f"Lamp {product_id}", "price": 49.9, "stock": 5, **fields}


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_an_admins_token_gets_in(desk, method, path):
    async def ask(headers):
        return await desk._http.request(method, f"/api/admin{path}", headers=headers)

    expired = jwt.encode(
        {**jwt.decode(token(), options={"verify_signature": False}), "exp": int(time.time()) - 60},
        SECRET,
        "HS256",
    )
    forged = sign_in.mint("another-secret-of-32-bytes-or-more", "boss", admin=True, minutes=5)

    assert is_problem(await ask({}), 401, "unauthorized")
    for bad in (expired, forged):
        assert is_problem(await ask({"Authorization": f"Bearer {bad}"}), 401, "unauthorized")
    buyer = token(USERS[0], admin=False)
    assert is_problem(await ask({"Authorization": f"Bearer {buyer}"}), 403, "forbidden")


async def test_every_route_is_tried_without_rights():
    names = {"p-01": "{product_id}", "o-1": "{order_id}", "pi-1": "{payment_id}"}
    tried = {(m, "/api/admin" + "/".join(names.get(part, part) for part in p.split("/")))
             for m, p in REQUESTS}  # fmt: skip

    routes = [*router.routes, *admin_rooms.router.routes]
    assert {(m, route.path) for route in routes for m in route.methods} == tried


async def test_a_product_is_made_once(desk, services):
    product_id = new_id()

    made = await desk.post("/products", product(product_id))
    again = await desk.post("/products", product(product_id))
    for change in ({"stock": 6}, {"price": 50}, {"name": "Lamp"}, {"currency": "USD"}):
        other = await desk.post("/products", product(product_id, **change))
        assert is_problem(other, 409, "product_exists")
    namesake = await desk.post("/products", product(new_id(), name=f"Lamp {product_id}"))

    assert (made.status_code, again.status_code) == (201, 201)
    assert made.json() == again.json()
    assert (made.json()["initialStock"], made.json()["price"]) == (5, 49.9)
    assert made.json()["currency"] == "EUR"
    assert is_problem(namesake, 409, "product_exists")
    assert [e.outcome for e in await desk.audit_of(product_id)] == [
        *["product_exists"] * 4,
        "done",
        "done",
    ]
    assert (await books_of(services, product_id)).redis_stock is None, "it is not on sale yet"


@pytest.mark.parametrize(
    ("price", "currency", "why"),
    [
        (1.5, "JPY", "1.5 JPY has a part of a minor unit"),
        (1, "KWD", "KWD has three decimals"),
    ],
)
async def test_a_price_that_nobody_could_pay_is_refused(desk, price, currency, why):
    refused = await desk.post("/products", product(new_id(), price=price, currency=currency))
    made = await desk.post("/products", product(new_id(), price=2, currency="JPY"))

    assert is_problem(refused, 422, "invalid")
    assert why in refused.text
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/products", {"id": "a", "name": "n", "price": 1, "stock": 1, "more": 1}),
        ("/products", {"id": "{a}", "name": "n", "price": 1, "stock": 1}),
        ("/products", {"id": "a", "name": "n\x00", "price": 1, "stock": 1}),
        ("/products", {"id": "a", "name": " ", "price": 1, "stock": 1}),
        ("/products", {"id": "a", "name": "n", "price": -1, "stock": 1}),
        ("/products", {"id": "a", "name": "n", "price": "NaN", "stock": 1}),
        ("/products", {"id": "a", "name": "n", "price": 1.001, "stock": 1}),
        ("/products", {"id": "a", "name": "n", "price": 1, "stock": -1}),
        ("/products", {"id": "a", "name": "n", "price": 1, "stock": 2**31}),
        ("/products", {"id": "a", "name": "n", "price": 1, "stock": True}),
        ("/products", {"id": "a", "name": "n", "price": 1, "stock": 1, "currency": "eur"}),
        ("/products/p/open", {"startsAt": "2026-11-27T08:00:00"}),
        ("/products/p/open", {"endsAt": "9999-12-31T23:59:59Z"}),
        ("/products/p/open", {"startsAt": "2026-11-27T09:00Z", "endsAt": "2026-11-27T08:00Z"}),
        ("/products/p/open", {"limitPerBuyer": -1}),
        ("/products/p/open", {"holdSeconds": -1}),
        ("/products/p/open", {"holdSeconds": 86401}),
        ("/products/p/open", {"holdSeconds": "600"}),
        ("/products/p/open", {"holdSeconds": 600, "generation": 4}),
        ("/products/p/open", {"limit": 1}),
        ("/products/p/pause", {"why": "because"}),
        ("/products/p/restock", {"units": 0}),
        ("/products/p/restock", {"units": "5"}),
        ("/products/p/restock", {"units": 5, "more": 5}),
        ("/products/%7Bp%7D/pause", None),
        ("/orders/o/cancel", {}),
        ("/orders/o/cancel", {"reason": ""}),
        ("/orders/o/cancel", {"reason": "x" * 201}),
        ("/orders/o/cancel", {"reason": "x", "force": True}),
        ("/orders/%00/cancel", {"reason": "x"}),
    ],
)  # fmt: skip
async def test_invalid_requests_are_rejected(desk, path, body):
    answer = await desk.post(path, body, key=new_id())

    assert is_problem(answer, 422, "invalid")


async def test_every_action_is_in_the_audit(desk, services):
    product_id = new_id()
    await desk.post("/products", product(product_id))
    await desk.act(product_id, "open", {"limitPerBuyer": 3})
    (order,) = await sell(services, product_id, USERS[:1])
    await desk.act(product_id, "pause")
    await desk.act(product_id, "resume")
    await desk.act(product_id, "restock", {"units": 2}, key=f"r-{product_id}")
    await desk.cancel(order.id, "a wish")
    await desk.act(product_id, "end")
    await desk.act(product_id, "resume")

    answer = await desk.get("/audit?limit=20")
    entries = [e for e in answer.json()["actions"] if product_id in e["target"]]

    assert [(e["action"], e["outcome"]) for e in reversed(entries)] == [
        ("create", "done"), ("open", "done"), ("pause", "done"), ("resume", "done"),
        ("restock", "done"), ("cancel", "done"), ("end", "done"), ("resume", "sale_ended"),
    ]  # fmt: skip
    assert {e["who"] for e in entries} == {"boss"}
    assert all(e["endedAt"] >= e["begunAt"] for e in entries)
    by_action = {e["action"]: e for e in entries}
    assert by_action["create"]["arguments"]["stock"] == 5
    assert by_action["open"]["arguments"]["limitPerBuyer"] == 3
    assert by_action["restock"]["arguments"] == {"units": 2}
    assert by_action["restock"]["idempotencyKey"] == f"r-{product_id}"
    assert (by_action["cancel"]["target"], by_action["cancel"]["arguments"]) == (
        order.id,
        {"reason": "a wish"},
    )


async def test_the_newest_actions_come_first_up_to_a_limit(desk):
    for _ in range(3):
        await desk.post("/products", product(new_id()))

    actions = (await desk.get("/audit?limit=2")).json()["actions"]

    assert len(actions) == 2
    assert actions[0]["id"] > actions[1]["id"]
    assert is_problem(await desk.get("/audit?limit=501"), 422, "invalid")


async def test_keys_of_two_admins_do_not_collide(desk, services, new_product):
    product_id = await new_product(1)
    path, body = f"/products/{product_id}/restock", {"units": 2}

    for admin in ("boss", "deputy"):
        answer = await desk.post(path, body, key=f"same-{product_id}", bearer=token(admin))
        assert answer.status_code == 200

    assert (await books_of(services, product_id)).initial == 5


async def test_the_books_are_those_of_verify(desk, services, new_product):
    product_id = await new_product(5)
    await sell(services, product_id, USERS[:2])

    one = await desk.get(f"/products/{product_id}/books")
    everything = await desk.get("/books")

    (row,) = await verify.read_books(services, [product_id])
    figures = row.figures()
    assert one.status_code == 200, one.text
    assert one.json() in everything.json()["products"]
    snake = {"redisStock": "redis_stock", "postgresStock": "postgres_stock",
             "productId": "product_id"}  # fmt: skip
    told = {snake.get(name, name): value for name, value in one.json().items()}
    assert told == {**figures, "generations": [5]}
    assert told["ledger"]["settled"] == 2
    assert is_problem(await desk.get("/products/no-such/books"), 404, "no_such_product")


async def test_the_books_can_be_read_while_sqs_is_down(desk, services, new_product):
    product_id = await new_product(5)

    class Down:
        async def waiting(self, _url=""):
            raise PushRefused("SQS")

    services.order_queue = Down()
    answer = await desk.get(f"/products/{product_id}/books")

    assert answer.json()["waiting"] is None
    assert answer.json()["lost"] == 0


async def test_answers_carry_no_internals(desk, services, without):
    desk.services = without("database_url")

    answer = await desk.get("/audit")

    assert is_problem(answer, 503, "unavailable")
    assert "127.0.0.1" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
