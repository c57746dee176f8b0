"""Lua, SQL and key injection through every field, on both edges.

After each attempt the stores are unchanged, and no key has a name that the attacker chose.
"""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.support import USERS
from tests.hostile.budget import fuzzed

PAYLOADS = [
    "'; DROP TABLE orders; --",
    "' OR '1'='1",
    "'||(SELECT/**/version())||'",
    "1);DELETE/**/FROM/**/users;--",
    "$$;DROP/**/TABLE/**/users;$$",
    "%(id)s",
    "%s%s%s%n",
    "{0}{1.__class__}",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "');redis.call('FLUSHALL')--",
    "\"..redis.call('SET','owned','1')..\"",
    "]]redis.call('DEL',KEYS[1])[[",
    "x\r\nFLUSHALL\r\n",
    "*1\r\n$8\r\nFLUSHALL\r\n",
    "x}:stock",
    "a}:ledger{",
    "p}:idem:u",
    "*",
    "?",
    "../../stock",
    "sales",
    "relay:inbox",
    "\x00",
    "",
]
FIELDS = [
    *("productId", "userId", "quantity", "Idempotency-Key", "Admission"),
    *("order", "product", "stock", "room"),
]
IN_HEADERS = {"Idempotency-Key", "Admission"}


def attack(edge, shop, field, payload):
    """Send a request with the payload in one field, and return its answer."""
    headers = {"content-type": "application/json"}
    if field in ("order", "product", "stock", "room"):
        path = {
            "order": "/api/v5/orders/{}",
            "product": "/api/products/{}",
            "stock": "/api/v5/products/{}/stock",
            "room": "/api/v5/rooms/{}",
        }[field].format(quote(payload, safe=""))
        return edge.request("GET", path, headers=headers)
    if field in IN_HEADERS:
        headers[field] = payload
        return edge.request("POST", "/api/v5/buy", shop.body(), headers)
    return edge.request("POST", "/api/v5/buy", shop.body(**{field: payload}), headers)


def changed_as_answered(shop, before, answer, field, payload):
    names, books = before
    after_names, after = shop.everything()
    assert answer.status < 500, answer.body
    assert after_names == names, "a key whose name an attacker chose"
    if answer.status == 202:  # the field accepts such texts as data
        assert int(after["stock"]) == int(books["stock"]) - 1
        assert len(after["ledger"]) == len(books["ledger"]) + 1
        assert after["rows"] == books["rows"]
        if field == "userId":
            assert after["ledger"][-1][1]["u"] == payload
    else:
        assert after == books


@pytest.mark.parametrize("field", FIELDS)
def test_known_payloads(edge, shop, field):
    taken = []
    for payload in PAYLOADS:
        if field in IN_HEADERS and {"\r", "\0"} & set(payload):
            continue  # no client or gateway sends these in a header; see test_wire.py
        before = shop.everything()
        answer = attack(edge, shop, field, payload)
        taken.append(answer.status == 202)
        changed_as_answered(shop, before, answer, field, payload)

    assert any(taken) == (field in {"userId", *IN_HEADERS})


@fuzzed(1)
@given(
    field=st.sampled_from(FIELDS),
    payload=st.text(max_size=40) | st.text("'\";-{}[]:*\\$%()\r\n\0", max_size=20),
)
def test_any_text(aws_lambda, shop, field, payload):
    before = shop.everything()

    answer = attack(aws_lambda, shop, field, payload)

    changed_as_answered(shop, before, answer, field, payload)


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
@pytest.mark.parametrize("field", ["productId", "userId"])
def test_the_other_generations(edge, shop, generation, field):
    """V3 and V4 claim a unit for any valid user, so the payloads are invalid user ids."""
    for payload in PAYLOADS:
        if field == "userId" and payload.isprintable() and payload.strip() and " " not in payload:
            continue
        before = shop.everything()

        answer = edge.request("POST", f"/api/v{generation}/buy", shop.body(**{field: payload}))

        assert answer.status in (400, 404)
        assert shop.everything() == before


def test_an_idempotency_key_of_one_user_is_not_anothers(edge, shop):
    """Keep user "a:b" with key "c" apart from user "a" with key "b:c"."""
    first = buy(edge, shop, f"a:{shop.product_id}", "c")
    second = buy(edge, shop, "a", f"{shop.product_id}:c")

    assert (first.status, second.status) == (202, 202)
    assert first.json["orderId"] != second.json["orderId"]


def test_an_order_id_reaches_no_other_key(edge, shop):
    """An Idempotency-Key may end like a ledger's name, but its value is no stream."""
    assert buy(edge, shop, USERS[0], f"{shop.product_id}}}:ledger").status == 202
    for separator in (" ", ":"):
        product_id = f"{shop.product_id}}}:idem:{USERS[0]}{separator}{shop.product_id}"
        order_id = quote(f"{product_id}:1-1", safe="")

        answer = edge.request("GET", f"/api/v5/orders/{order_id}")

        assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("payload", [*PAYLOADS, "\ud800", "é", "x" * 100_000])
def test_an_invalid_correlation_id_is_replaced(
    aws_lambda, one_thread, shop, payload, generation, monkeypatch
):
    """It comes from API Gateway, but also from clients of a Function URL or a proxy."""
    monkeypatch.setattr(aws_lambda, "request_id", payload)

    answer = aws_lambda.request("POST", f"/api/v{generation}/buy", shop.body())

    assert answer.status == 202
    for _, entry in shop.books()["ledger"]:  # V4 stores it in its message
        assert 0 < len(entry["c"]) <= 128
        assert entry["c"].isprintable()


def buy(edge, shop, user_id, key):
    headers = {"content-type": "application/json", "Idempotency-Key": key}
    return edge.request("POST", "/api/v5/buy", shop.body(userId=user_id), headers)
