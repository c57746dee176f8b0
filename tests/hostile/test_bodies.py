"""Invalid bodies and ids on both edges are rejected before the stock is touched."""

import json

import pytest
from hypothesis import given

from flashsale.http.limits import MAX_BODY
from tests.helpers.support import USERS
from tests.hostile.budget import fuzzed
from tests.hostile.poison import bodies

GENERATIONS = [1, 2, 3, 4, 5]


def fields(**changes):
    return lambda shop: shop.body(**changes)


def text(pattern):
    """Return bytes in which P and U stand for an existing product and user."""
    return lambda shop: pattern.replace(b"P", shop.product_id.encode()).replace(
        b"U", USERS[0].encode()
    )


# No generation accepts these.
BODIES = {
    "nothing": text(b""),
    "a list": text(b"[]"),
    "deep lists": text(b"[" * 8000),
    "deep lists that end": text(b"[" * 8000 + b"]" * 8000),
    "deep objects": text(b'{"productId":' * 1200),
    "deep user": text(b'{"productId": "P", "userId": ' + b"[" * 7000 + b"]" * 7000 + b"}"),
    "a huge number": text(b'{"productId": "P", "userId": ' + b"9" * 10_000 + b"}"),
    "not a number": text(b'{"productId": "P", "userId": NaN}'),
    "infinity": text(b'{"productId": "P", "userId": -Infinity}'),
    "invalid UTF-8": text(b'{"productId": "P", "userId": "U\xff"}'),
    "overlong UTF-8": text(b'{"productId": "P", "userId": "U\xc0\xaf"}'),
    "UTF-8 of a surrogate": text(b'{"productId": "P", "userId": "U\xed\xa0\x80"}'),
    "half a surrogate": text(b'{"productId": "P", "userId": "U\\ud800"}'),
    "a NUL": text(b'{"productId": "P", "userId": "U\\u0000"}'),
    "a raw NUL": text(b'{"productId": "P", "userId": "U\x00"}'),
    "two bodies": text(b'{"productId": "P", "userId": "U"}' * 2),
    "a comment": text(b'{"productId": "P", "userId": "U"} // '),
    "an object as user": text(b'{"productId": "P", "userId": {"$ne": null}}'),
    "a list as product": text(b'{"productId": ["P"], "userId": "U"}'),
    "a form": text(b"productId=P&userId=U"),
    "a right-to-left mark": fields(userId=USERS[0] + "\u202e"),
    "a zero-width blank": fields(userId=USERS[0] + "\u200b"),
    "a homoglyph": fields(userId="\u0446" + USERS[0][1:]),
    "a full-width letter": fields(userId="\uff55" + USERS[0][1:]),
    "a blank at the end": fields(userId=USERS[0] + " "),
    "full-width digits": fields(userId="u-\uff10\uff10\uff10\uff10\uff11"),
    "a combining mark": fields(userId=USERS[0] + "\u0301"),
    "a soft hyphen": fields(userId="u\u00ad-00001"),
    "a dotless i": fields(productId="\u0131"),
    "the Kelvin sign": fields(productId="\u212a"),
    "a blank": fields(userId=" " + USERS[0]),
    "a line break": fields(userId=USERS[0] + "\n"),
    "a long id": fields(userId="u" * 129),
    "a long product": fields(productId="p" * 65),
    "braces": fields(productId="{p}"),
}
BODIES_BEYOND_THE_FIELDS = {
    "a name in both spellings": text(b'{"productId": "P", "product_id": "P", "userId": "U"}'),
    "an unknown field": fields(price=0),
    "a deep unknown field": text(b'{"productId": "P", "userId": "U", "x": ' + b"[" * 8000 + b"}"),
    "a text as quantity": fields(quantity="1"),
    "a truth as quantity": fields(quantity=True),
    "a fraction": fields(quantity=1.5),
    "nothing as quantity": fields(quantity=None),
    "none": fields(quantity=0),
    "less than none": fields(quantity=-1),
    "too many": fields(quantity=2**63),
    "a number without end": text(b'{"productId": "P", "userId": "U", "quantity": 1e999}'),
    "not a number of units": text(b'{"productId": "P", "userId": "U", "quantity": NaN}'),
    "full-width quantity": fields(quantity="\uff11"),
}  # fmt: skip
# Variants of JSON that V1 to V4 accept, as the original system did.
SPELLINGS = {
    "a byte order mark": text(b'\xef\xbb\xbf{"productId": "P", "userId": "U"}'),
    "a name twice": text(b'{"productId": "P", "userId": "U", "userId": "U"}'),
    "a name twice below": text(b'{"productId": "P", "userId": "U", "x": {"a": 1, "a": 1}}'),
    "a name that is half a letter": text(b'{"productId":"P","userId":"U","\\ud800":1}'),
    "UTF-16": lambda shop: shop.body().decode().encode("utf-16"),
}


def taken(edge, shop, generation, bodies_by_name):
    """Return the names of the bodies that are not rejected as they should be."""
    before, expected = shop.everything(), 422 if generation == 5 else 400
    wrong = {}
    for name, body in bodies_by_name.items():
        answer = edge.request("POST", f"/api/v{generation}/buy", body(shop))
        if answer.status != expected or not json.loads(answer.body):
            wrong[name] = answer
    assert shop.everything() == before
    return wrong


@pytest.mark.parametrize("generation", GENERATIONS)
def test_bodies_that_no_generation_accepts(edge, shop, generation):
    assert taken(edge, shop, generation, BODIES | BODIES_BEYOND_THE_FIELDS) == {}


def test_what_v5_does_not_take(edge, shop):
    assert taken(edge, shop, 5, SPELLINGS) == {}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_body_that_is_too_large(edge, shop, generation):
    before = shop.everything()
    body = shop.body()[:-1] + b" " * MAX_BODY + b"}"

    answer = edge.request("POST", f"/api/v{generation}/buy", body)

    assert answer.status == 413
    assert shop.everything() == before


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
def test_bodies_of_the_original_scripts_are_accepted(edge, shop, generation):
    """The fields may be repeated, because the original parser was not strict."""
    twice = text(b'{"productId": "P", "userId": "X", "userId": "U"}')

    for body in (shop.body(), twice(shop), shop.body(quantity=1)):
        answer = edge.request("POST", f"/api/v{generation}/buy", body)
        assert answer.status in (201, 202)


def test_similar_user_ids_are_different_users(edge, shop):
    """Case is significant. Ids with blanks or of another width are tested above."""
    other = USERS[0].upper()

    assert edge.request("POST", "/api/v5/buy", shop.body(userId=other)).status == 202
    assert [entry["u"] for _, entry in shop.books()["ledger"]] == [other]


@fuzzed(2)
@given(body=bodies({"productId": "PRODUCT", "userId": "u-00001", "quantity": 1}))
def test_any_body_gets_an_answer_and_the_books_balance(aws_lambda, shop, body):
    sent = body.replace("PRODUCT", shop.product_id).encode("utf-8", "surrogatepass")
    before = shop.everything()

    answer = aws_lambda.request("POST", "/api/v5/buy", sent)

    assert answer.status in (202, 404, 413, 422)
    if answer.status == 202:
        initial, stock = int(shop.books()["sale"]["initial"]), int(shop.books()["stock"])
        claimed = sum(int(entry["q"]) for _, entry in shop.books()["ledger"])
        assert initial == stock + claimed
    else:
        assert shop.everything() == before
