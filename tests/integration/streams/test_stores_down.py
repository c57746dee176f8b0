"""Streams while a store is down: they stay, say so once, and go on."""

from unittest.mock import AsyncMock

import httpx

from flashsale.errors import StockUnavailable
from flashsale.http.application import create_app
from flashsale.redis_store.ledger import Ledger
from flashsale_server.edge import events
from flashsale_server.edge.hub import MOST_OF_ADDRESS
from tests.helpers.support import USERS
from tests.integration.v5_claims import buy


async def test_a_sale_outlives_an_outage_of_redis(edge, shop, stores, services):
    reader = await edge.sale(shop.product_id)
    before = await reader.event("sale")

    stores.stop(stores.redis)
    unknown = await reader.event("unknown")
    stale = await reader.event("sale", lambda data: data["stale"])
    later = await edge.sale(shop.product_id)  # who comes now gets what is known
    stores.start(stores.redis)
    await reader.event("sale", lambda data: not data["stale"], after=reader.events.index(stale))
    await services.redis.connection_pool.disconnect()
    await buy(services.ledger, shop.product_id, USERS[0], 1)

    assert unknown.data == {"what": "redis"}
    assert stale.data["stock"] == before.data["stock"]
    assert [one.name for one in later.events[:2]] == ["unknown", "sale"]
    for one in (reader, later):
        sold = await one.event("sale", lambda data: data["stock"]["unsettled"] == 1)
        assert not sold.data["stale"]
        assert [event.name for event in one.events].count("unknown") == 1
        assert not one.closed


async def test_an_order_outlives_an_outage_of_postgresql(edge, shop, stores):
    order = await shop.reserve()
    reader = await edge.order(order.id)
    before = await reader.event("order")

    stores.stop(stores.database)
    unknown = await reader.event("unknown")
    stale = await reader.event("order", lambda data: data.get("stale"))
    stores.start(stores.database)
    again = await reader.event("order", after=reader.events.index(stale) + 1)

    assert unknown.data == {"what": "postgresql"}
    assert stale.data == {**before.data, "stale": True}
    assert again.data == before.data
    assert [event.name for event in reader.events].count("unknown") == 1
    assert not reader.closed


async def test_no_stream_of_an_unknown_product_begins_without_redis(edge, stores, shop):
    stores.stop(stores.redis)

    reader = await edge.sale(shop.product_id)

    assert reader.status == 503
    assert reader.headers["retry-after"] == "1"


async def test_streams_that_did_not_begin_take_no_places(shop, services, monkeypatch):
    """The order is known, and its sale cannot be read: as when Redis has lost a room."""
    order = await shop.reserve()
    app = create_app(lambda: services, more=[events.router])
    monkeypatch.setattr(Ledger, "snapshot", AsyncMock(side_effect=StockUnavailable("lost")))

    transport = httpx.ASGITransport(app, client=("10.0.0.9", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as http,
    ):
        path = f"/api/v5/orders/{order.id}/events"
        answers = [await http.get(path) for _ in range(MOST_OF_ADDRESS + 1)]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(503, "unavailable")}
