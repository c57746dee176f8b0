"""A route's own way and FastAPI's give the same answer to each request, byte for byte."""

from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.routing import APIRoute

from flashsale.config import Rate
from flashsale.domain.model import Terms
from flashsale.errors import StockUnavailable
from flashsale.services import Services
from flashsale_local.deployment import sign_in
from flashsale_local.stack.program import free_port
from tests.helpers.admin_desk import SECRET, TRUST, token
from tests.integration.direct.cases import GOOD, JSON, ON_THE_WIRE, REQUESTS, Request
from tests.integration.direct.ways import Asgi, Lambda, plainly, without_chance

EDGES = {"ASGI": Asgi("https://shop.example"), "Lambda": Lambda("https://shop.example")}
ASGI = EDGES["ASGI"]
GENERATIONS = (1, 2, 3, 4, 5)
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def on_sale(new_product, services):
    """Return a function that makes a product whose claims another process relays."""

    async def make(stock=10, terms=None):
        product_id = await new_product(stock, on_sale=terms is None)
        if terms:
            await services.stock.open_sale(product_id, stock, terms)
        await services.ledger.renew_lease(product_id, "another", 3_600_000)
        return product_id

    return make


async def answers(edge, services, request, product_id):
    """Send a request as often as it says, and return its answers without what chance decides."""
    bodies = request.body if isinstance(request.body, tuple) else (request.body,)
    bodies = [body.replace(b"PRODUCT", product_id.encode()) for body in bodies]
    headers = [
        (name, value.replace(b"PRODUCT", product_id.encode())) for name, value in request.headers
    ]
    found = []
    for _ in range(request.times):
        messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
        if request.gone:
            messages.append({"type": "http.disconnect"})
        else:
            messages[-1]["more_body"] = False
        found += await edge.send(services, request, list(headers), messages)
    return without_chance(found, product_id)


async def both(services, request, make, edge=ASGI):
    """Send a request on both ways; return what either gave, and what it left in the stock."""
    found = []
    for way in (plainly, nullcontext):
        product_id = await make()
        with way():
            given = await answers(edge, services, request, product_id)
        left = None
        with suppress(StockUnavailable):
            left = await services.stock.left([product_id])
        found.append((given, left))
    return found


# V1 to V3 read their requests as V4 does.
@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("edge", EDGES)
async def test_the_answers_are_the_same(services, on_sale, edge, name, generation):
    request = replace(REQUESTS[name], generation=generation)

    plain, direct = await both(services, request, on_sale, EDGES[edge])

    assert direct == plain


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("name", ON_THE_WIRE)
async def test_the_answers_on_the_wire_are_the_same(services, on_sale, name, generation):
    request = replace(ON_THE_WIRE[name], generation=generation)

    plain, direct = await both(services, request, on_sale)

    assert direct == plain


SALES = {
    "sold out": {"stock": 0},
    "not open": {"terms": Terms(starts_at=LATER)},
    "a limit": {"terms": Terms(limit_per_buyer=1)},
    "of V3": {"terms": Terms(generation=3)},
}


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("sale", SALES)
async def test_refusals_are_the_same(services, on_sale, sale, generation):
    request = Request(times=2, generation=generation)

    plain, direct = await both(services, request, lambda: on_sale(**SALES[sale]))

    assert direct == plain


@pytest.mark.parametrize("edge", EDGES)
async def test_rate_limits_are_the_same(services, on_sale, edge):
    limits = {"user": Rate(1, 86_400), "address": Rate(5, 86_400)}
    limited = Services(replace(services.settings, rate_limits=limits))

    plain, direct = await both(limited, Request(times=2), on_sale, EDGES[edge])
    await limited.close()

    assert direct == plain


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("edge", EDGES)
async def test_outages_are_the_same(services, on_sale, edge, generation):
    gone = Services(replace(services.settings, redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    request = Request(generation=generation)

    plain, direct = await both(gone, request, on_sale, EDGES[edge])
    await gone.close()

    assert direct == plain
    assert "'status': 503" in plain[0]


TOKENS = {
    "none": (),
    "good": ("Bearer {good}",),
    "another user's": ("Bearer {other}",),
    "late": ("Bearer {late}",),
    "no token": ("Bearer",),
    "rubbish": ("Bearer x.y.z",),
    "basic": ("Basic {good}",),
    "twice": ("Bearer {good}", "Bearer {good}"),
}


@pytest.mark.parametrize("generation", [4, 5])
@pytest.mark.parametrize("body", [GOOD, b'{"productId": "PRODUCT"}', b"{}", b"{"], ids=range(4))
@pytest.mark.parametrize("name", TOKENS)
async def test_what_tokens_allow_is_the_same(services, on_sale, name, body, generation):
    secured = Services(replace(services.settings, auth="jwt", trusted_issuer=TRUST))
    tokens = {
        "good": token("u-00001", admin=False),
        "other": token("u-00002", admin=False),
        "late": sign_in.mint(SECRET, "u-00001", admin=False, minutes=-5),
    }
    given = [(b"authorization", one.format(**tokens).encode()) for one in TOKENS[name]]
    request = Request(body, headers=(JSON, *given), generation=generation)

    plain, direct = await both(secured, request, on_sale)
    await secured.close()

    assert direct == plain


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("edge", EDGES)
async def test_bugs_are_answered_in_the_same_way(services, on_sale, monkeypatch, edge, generation):
    def fails(*_):
        raise LookupError("a bug")

    for module in ("v1", "v2", "v3", "v4", "v5"):
        monkeypatch.setattr(f"flashsale.generations.{module}.buy", fails)
    request = Request(generation=generation)

    plain, direct = await both(services, request, on_sale, EDGES[edge])

    assert direct == plain
    assert "LookupError" in plain[0]


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_fastapi_is_not_asked_about_an_ordinary_request(
    services, on_sale, monkeypatch, generation
):
    monkeypatch.delattr(APIRoute, "handle")
    product_id = await on_sale()

    given = await answers(ASGI, services, Request(generation=generation), product_id)

    assert f"'status': {201 if generation < 4 else 202}" in given
