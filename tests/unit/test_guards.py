"""Pages of which web sites may read answers; and whose address a request has."""

import httpx
import pytest
from fastapi import FastAPI, Request

from flashsale.http.guards import add_guards
from flashsale.http.rate_headers import address_of

SHOP = "https://shop.example"


@pytest.fixture
async def http():
    api = FastAPI()
    add_guards(api, [SHOP])

    @api.post("/buy")
    async def buy():
        return {}

    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def preflight(http, origin):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    return await http.options("/buy", headers=headers)


async def test_pages_of_the_shop_may_ask_and_read(http):
    asked = await preflight(http, SHOP)
    answer = await http.post("/buy", headers={"Origin": SHOP})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", f"{SHOP}.evil.example", "null"]
)
async def test_pages_of_others_may_not(http, origin):
    asked = await preflight(http, origin)
    answer = await http.post("/buy", headers={"Origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("not:an:address", ""),
        (None, ""),
    ],
)
def test_an_address_of_version_6_counts_as_its_network(host, address):
    scope = {"type": "http", "client": (host, 1) if host else None}

    assert address_of(Request(scope)) == address
