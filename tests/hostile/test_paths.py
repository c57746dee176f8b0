"""Paths with ids: each product that can be made can be reached on each edge and prefix."""

import itertools
import json
import string
from urllib.parse import quote

import pytest
from urllib3.util import parse_url

from tests.helpers.support import USERS

SIGNS = "._:-"
# Each character, each sign at each position, and texts that look like steps in a path.
IDS = [
    string.ascii_letters + string.digits,
    *(f"{sign}{rest}" for sign in SIGNS for rest in ("", "a", "1-1")),
    *(f"a{sign}" for sign in SIGNS),
    *("".join(pair) for pair in itertools.product(SIGNS, repeat=2)),
    *("...", "..a", "..:1-1", ".-.", "-.-", "--help", "x" * 64, f"..{'.' * 62}"),
]
REACHABLE = [id_ for id_ in IDS if id_ not in (".", "..")]


def as_sent(path):
    """Return the path that a client sends after it resolved `.` and `..` (RFC 3986, 5.2.4)."""
    return parse_url(f"http://shop{path}").path


def make(admin_edge, bearer, id_):
    product = {"id": id_, "name": f"Product {id_}", "price": 1, "stock": 1000}
    headers = {**bearer("boss", admin=True), "content-type": "application/json"}
    made = admin_edge.request("POST", "/api/admin/products", json.dumps(product).encode(), headers)
    opening = as_sent(f"/api/admin/products/{id_}/open")
    return made.status, admin_edge.request("POST", opening, b"{}", headers).status


@pytest.mark.parametrize("id_", REACHABLE)
def test_a_product_that_can_be_made_can_be_reached(asgi, edge, bearer, id_):
    assert make(asgi, bearer, id_) == (201, 200)

    product = edge.request("GET", as_sent(f"/api/products/{id_}"))
    stock = edge.request("GET", as_sent(f"/api/v5/products/{quote(id_)}/stock"))
    body = json.dumps({"productId": id_, "userId": USERS[0]}).encode()
    bought = edge.request("POST", "/api/v5/buy", body)
    order = edge.request("GET", as_sent(f"/api/v5/orders/{bought.json['orderId']}"))

    assert (product.status, product.json["id"]) == (200, id_)
    assert stock.status == 200
    assert (order.status, order.json["orderId"]) == (200, bought.json["orderId"])


@pytest.mark.parametrize("id_", [".", ".."])
def test_a_product_that_could_not_be_reached_cannot_be_made(admin_edge, shop, bearer, id_):
    assert as_sent(f"/api/products/{id_}") in ("/api/products/", "/api/")
    before = shop.books()["rows"]

    status, _ = make(admin_edge, bearer, id_)

    assert status == 422
    assert shop.books()["rows"] == before


@pytest.mark.parametrize("id_", [".", ".."])
@pytest.mark.parametrize("generation", range(1, 6))
def test_a_product_that_could_not_be_reached_cannot_be_bought(edge, shop, generation, id_):
    answer = edge.request("POST", f"/api/v{generation}/buy", shop.body(productId=id_))

    assert answer.status == (422 if generation == 5 else 400)


def test_a_stage_of_api_gateway_changes_nothing(aws_lambda, shop):
    aws_lambda.stage = "prod"

    bought = aws_lambda.request("POST", "/prod/api/v5/buy", shop.body())
    place = f"/prod/api/v5/{bought.headers['location']}"
    order = aws_lambda.request("GET", place)
    unknown = aws_lambda.request("GET", "/prod/api/v5/orders/unknown")
    document = aws_lambda.request("GET", "/prod/openapi.json")
    outside = aws_lambda.request("GET", "/product/api/products")

    assert (bought.status, order.status) == (202, 200)
    assert order.json["orderId"] == bought.json["orderId"]
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    assert document.json["servers"] == [{"url": "."}]
    assert outside.status == 404


def test_an_extra_slash_is_404_and_no_redirect(asgi, admin_lambda, aws_lambda):
    """A redirect would use the client's Host header and lose the prefix."""
    for edge, path in (
        (asgi, "/api/admin/books/"),
        (admin_lambda, "/api/admin/books/"),
        (aws_lambda, "/api/products/"),
    ):
        answer = edge.request("GET", path)
        assert (answer.status, "location" in answer.headers) == (404, False)
