"""The deployed admin API: a function behind the same HTTP API, and routes of the ASGI edge."""

import uuid

import httpx
import pytest

from flashsale_local.deployment import sign_in
from tests.e2e.conftest import body
from tests.helpers.support import USERS, eventually


@pytest.fixture(params=["lambda", "asgi"])
def admin(request, deployed):
    """A client of the admin API with an admin's token."""
    if request.param == "asgi":
        url, headers = request.getfixturevalue("asgi_url"), {}
    else:
        url, headers = deployed.admin_endpoint.url, dict(deployed.admin_endpoint.headers)
    secret = deployed.token_secret
    token = sign_in.mint(secret, "boss", admin=True, minutes=10)
    headers |= {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{url}/api/admin", headers=headers, timeout=60) as client:
        yield client


def test_an_admin_runs_a_sale_from_the_product_to_the_books(admin, http):
    product_id = f"e-{uuid.uuid4().hex[:10]}"

    def act(action, json=None, **headers):
        answer = admin.post(f"/products/{product_id}/{action}", json=json, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def buy(user):
        return http.post("/api/v5/buy", json=body(product_id, user))

    new = {"id": product_id, "name": product_id, "price": 10, "stock": 1}
    assert admin.post("/products", json=new).status_code == 201
    assert act("open")["stock"] == 1
    order_id = buy(USERS[0]).json()["orderId"]
    assert buy(USERS[1]).json()["code"] == "sold_out"
    assert act("pause")["state"] == "paused"
    assert act("restock", {"units": 2}, **{"Idempotency-Key": product_id})["stock"] == 2
    # A process answers "sold out" by itself for a moment.
    assert eventually(lambda: buy(USERS[1]).json()["code"] == "sale_not_open")
    assert act("resume")["stock"] == 2
    assert eventually(lambda: buy(USERS[1]).status_code == 202)

    def confirmed():
        return admin.get(f"/products/{product_id}/books").json()["confirmed"] == 2

    assert eventually(confirmed)
    cancelled = admin.post(f"/orders/{order_id}/cancel", json={"reason": "broken"})
    assert cancelled.json() == {"orderId": order_id, "status": "CANCELLED", "reason": "broken"}
    assert http.get(f"/api/v5/orders/{order_id}").json()["status"] == "CANCELLED"
    assert act("end") == {
        "productId": product_id, "state": "ended",
        "stock": 2, "unsettled": 0, "held": 0, "settled": 1, "initial": 3, "generation": 5,
    }  # fmt: skip

    books = admin.get(f"/products/{product_id}/books").json()
    assert (books["confirmed"], books["postgresStock"], books["balanced"]) == (1, 2, True)
    actions = admin.get("/audit").json()["actions"]
    mine = [a["action"] for a in actions if product_id in a["target"]]
    assert mine == ["end", "cancel", "resume", "restock", "pause", "open", "create"]


def test_others_are_rejected(admin, deployed):
    buyer = sign_in.mint(deployed.token_secret, USERS[0], admin=False, minutes=10)

    anonymous = admin.get("/books", headers={"Authorization": ""})
    answer = admin.get("/books", headers={"Authorization": f"Bearer {buyer}"})

    assert (anonymous.status_code, answer.status_code) == (401, 403)
    assert answer.headers["content-type"] == "application/problem+json"
