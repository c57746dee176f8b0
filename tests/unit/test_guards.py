"""Which sites' pages may read answers (CORS), and which address a request counts for."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request

from flashsale.errors import StockUnavailable
from flashsale.http import in_time, limits
from flashsale.http.errors import add_error_handlers
from flashsale.http.guards import add_guards
from flashsale.http.rate_headers import address_of
from tests.helpers.in_process import client_of

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


async def preflight(http, origin, method="POST"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": (
            "authorization,content-type,idempotency-key,ticket,admission"
        ),
    }
    return await http.options("/buy", headers=headers)


async def test_pages_of_the_shop_may_send_requests_and_read_answers(http):
    asked = await preflight(http, SHOP)
    leaves = await preflight(http, SHOP, "DELETE")
    answer = await http.post("/buy", headers={"Origin": SHOP})

    assert asked.status_code == leaves.status_code == 200
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", f"{SHOP}.evil.example", "null"]
)
async def test_pages_of_other_sites_may_not(http, origin):
    asked = await preflight(http, origin)
    answer = await http.post("/buy", headers={"Origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


class Endless(httpx.AsyncByteStream):
    """A body that never ends."""

    async def __aiter__(self):
        yield b"{"
        await asyncio.Event().wait()


@pytest.fixture
async def failing(monkeypatch):
    """Return an API with an error of each kind."""
    monkeypatch.setattr(in_time, "BODY_TIME", 0.05)
    api = FastAPI()
    add_error_handlers(api)
    add_guards(api, [SHOP])

    async def read(body: dict[str, int]):
        pass

    async def answer(status: int):
        if status == 500:
            raise LookupError("a secret")
        raise StockUnavailable("down") if status == 503 else HTTPException(status)

    for shape in ("v4", "v5"):
        api.add_api_route(f"/api/{shape}/read", read, methods=["POST"])
        api.add_api_route(f"/api/{shape}/answer", answer, methods=["POST"])
    async with client_of(api) as client:
        yield client


@pytest.mark.parametrize("shape", ["v4", "v5"])
@pytest.mark.parametrize(
    ("status", "path", "request_of"),
    [
        *((status, f"answer?status={status}", {}) for status in (401, 403, 404, 429, 500, 503)),
        (404, "nothing", {}),
        (405, "answer", {"method": "PUT"}),
        (413, "read", {"content": b"x" * (limits.MAX_BODY + 1)}),
        (408, "read", {"content": Endless()}),
        (400, "read", {"headers": {"Transfer-Encoding": "gzip", "Origin": SHOP}}),
        ("invalid", "read", {"content": b"{"}),
    ],
)
async def test_pages_of_the_shop_read_each_error(failing, shape, status, path, request_of):
    expected = {"v4": 400, "v5": 422}[shape] if status == "invalid" else status
    request_of = {"method": "POST", "headers": {"Origin": SHOP}, **request_of}

    answer = await failing.request(url=f"/api/{shape}/{path}", **request_of)

    assert answer.status_code == expected
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(answer.json()) >= ({"code"} if shape == "v5" else {"error"})
    assert "secret" not in answer.text


async def test_an_unexpected_error_reaches_the_server(failing):
    """The server logs it with its traceback."""
    failing._transport.raise_app_exceptions = True

    with pytest.raises(LookupError, match="a secret"):
        await failing.post("/api/v5/answer?status=500")


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
def test_an_ipv6_address_counts_as_its_network(host, address):
    scope = {"type": "http", "client": (host, 1) if host else None}

    assert address_of(Request(scope)) == address
