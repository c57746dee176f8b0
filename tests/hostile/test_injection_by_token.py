"""Injection with a token: through every field of the admin API, and the token's `sub`.

A rejected text changes nothing. An accepted text is stored as it was sent, as data.
"""

import json
import re
import uuid
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.domain.model import USER_ID
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.place_orders import place_orders
from tests.helpers.edges import JSON, Lambda
from tests.hostile.budget import fuzzed
from tests.hostile.test_injection import PAYLOADS

ACTIONS = ["open", "pause", "resume", "end"]
# Placeholders in a body for the payload and for an unused name.
HERE, NEW = "HERE", "NEW"
PRODUCT = {"id": NEW, "name": NEW, "price": 1, "stock": 0}
# Fields of admin requests: path and body of a POST, or the path of a GET.
REQUESTS = {
    **{name: ("products", PRODUCT | {name: HERE}) for name in PRODUCT},
    **{
        name: ("products/{product}/open", {name: HERE})
        for name in ("startsAt", "endsAt", "limitPerBuyer", "another")
    },
    **{action: (f"products/{{here}}/{action}", {}) for action in ACTIONS},
    "restock": ("products/{here}/restock", {"units": 1}),
    "units": ("products/{product}/restock", {"units": HERE}),
    "Idempotency-Key": ("products/{product}/restock", {"units": 1}),
    "cancel": ("orders/{here}/cancel", {"reason": "hostile"}),
    "reason": ("orders/{order}/cancel", {"reason": HERE}),
    "books": ("products/{here}/books", None),
    "limit": ("audit?limit={here}", None),
}  # fmt: skip
# Fields that accept any text, and the column of the audit that stores it.
TEXTS = {
    "id": "target",
    "name": "arguments->>'name'",
    "reason": "arguments->>'reason'",
    "Idempotency-Key": "idempotency_key",
}
# Names that our scripts give to keys of a product.
OUR_NAMES = re.compile(r"\{t-[0-9a-f]{12}\}:[a-z]+")


@pytest.fixture
def boss(bearer, shop):
    """Return the headers of an admin that has used no key yet."""
    return bearer(f"admin-of-{shop.product_id}", admin=True)


def attack(edge, shop, field, payload, headers, order=""):
    """Send a request with the payload in one field, and return its answer."""
    path, body = REQUESTS[field]
    here = quote(payload, safe="", errors="replace")
    new = f"n-{uuid.uuid4().hex}"
    path = path.format(here=here, product=shop.product_id, order=order)
    path, _, query = f"/api/admin/{path}".partition("?")
    if body is None:
        return edge.request("GET", path, headers=headers, query=query)
    sent = {name: {HERE: payload, NEW: new}.get(value, value) for name, value in body.items()}
    key = payload if field == "Idempotency-Key" else new
    headers = headers | JSON | {"Idempotency-Key": key}
    return edge.request("POST", path, json.dumps(sent).encode(), headers)


def tried(edge, shop, field, payload, headers):
    """Return whether it was accepted. Check the stores in either case."""
    order = shop.confirm() if field == "reason" else ""
    names, books = shop.everything()

    answer = attack(edge, shop, field, payload, headers, order)

    after_names, after = shop.everything()
    assert answer.status in (200, 201, 404, 409, 422), answer.body
    assert all(map(OUR_NAMES.fullmatch, after_names - names)), "a key whose name an admin chose"
    assert after["ledger"] == books["ledger"]
    assert after["rows"][0] == books["rows"][0], "users"
    if answer.status >= 400:
        assert after == books
    elif field in TEXTS:
        assert shop.last_action(TEXTS[field]) == payload.strip()
    if answer.status == 201:
        assert re.fullmatch(r"[\w.:-]+", answer.json["id"], re.ASCII), "keys will have this name"
        shop.forget(answer.json["id"])  # the next test uses it as a payload again
    return answer.status < 400


@pytest.mark.parametrize("field", REQUESTS)
def test_known_payloads_in_an_admins_fields(admin_edge, shop, boss, field):
    taken = []
    for payload in [*PAYLOADS, "\ud800"]:
        if field == "Idempotency-Key" and {"\r", "\0", "\ud800"} & set(payload):
            continue  # no client or gateway sends these in a header; see test_wire.py
        if payload != "\ud800" or HERE in (REQUESTS[field][1] or {}).values():
            taken.append(tried(admin_edge, shop, field, payload, boss))

    assert any(taken) == (field in TEXTS)
    assert not all(taken)


@fuzzed(1)
@given(
    field=st.sampled_from(sorted(REQUESTS)),
    payload=st.text(max_size=40) | st.text("'\";-{}[]:*\\$%()\r\n\0", max_size=20),
)
def test_any_text_in_an_admins_fields(admin_lambda, shop, bearer, field, payload):
    another = bearer(uuid.uuid4().hex, admin=True)  # an admin without used keys
    tried(admin_lambda, shop, field, payload, another)


def test_an_admins_subject_is_data(admin_edge, shop, bearer):
    for payload in PAYLOADS:
        before = shop.everything()

        answer = attack(admin_edge, shop, "pause", "no-such-product", bearer(payload, admin=True))

        if re.fullmatch(USER_ID, payload):
            assert answer.status == 409
            assert shop.last_action("who") == payload
        else:
            assert answer.status == 401
        assert shop.everything() == before


def test_a_buyers_subject_is_data(guarded_edge, shop, bearer, guarded_services, one_thread):
    """The subject goes from the token to Redis, the queue and PostgreSQL."""
    good = {payload for payload in PAYLOADS if re.fullmatch(USER_ID, payload)}
    for payload in PAYLOADS:
        names, books = shop.everything()
        answer = guarded_edge.request(
            "POST", "/api/v5/buy", shop.body(userId=...), bearer(payload) | JSON
        )
        assert answer.status == (202 if payload in good else 401)
        assert shop.names() == names
        if payload not in good:
            assert shop.books() == books

    ledger = shop.books()["ledger"]
    claims = [[id_, entry["u"], int(entry["q"]), entry["c"]] for id_, entry in ledger]
    body = json.dumps({"product_id": shop.product_id, "claims": claims})

    async def place():
        return await place_orders(guarded_services, [ReceivedMessage("m", body)])

    outcome = one_thread.submit(Lambda.run, place).result()

    assert {order.user_id for order in outcome.confirmed} == good
    assert shop.buyers() == good


def test_no_order_id_reaches_another_key(guarded_asgi, admin_edge, shop, bearer, boss):
    """The name of a buyer's bucket may end like a ledger's name, but it is no stream."""
    bought = guarded_asgi.request(
        "POST", "/api/v5/buy", shop.body(userId=...), bearer("x}:ledger") | JSON
    )
    order_id = f"{shop.product_id}}}:rate:user:x:1-1"

    answer = attack(admin_edge, shop, "cancel", order_id, boss)

    assert (bought.status, answer.status) == (202, 404)
