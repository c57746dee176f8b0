"""The stream of a sale: the present state, then each change."""

from datetime import UTC, datetime, timedelta

import httpx

from flashsale.domain.model import Terms
from flashsale.domain.rooms import RoomTerms
from flashsale.usecases.sales import open_sale
from tests.helpers.support import USERS
from tests.integration.v5_claims import buy

NO_PRODUCT = "No such product is on sale."


async def test_the_first_event_is_the_present_state(edge, new_product):
    product_id = await new_product(7)

    reader = await edge.sale(product_id)
    first = await reader.event("sale")

    assert reader.status == 200
    assert reader.headers["content-type"].startswith("text/event-stream")
    assert reader.headers["cache-control"] == "no-store"
    assert reader.headers["x-accel-buffering"] == "no"
    assert first is reader.events[0]
    assert first.data["stock"] == await edge.get(f"/api/v5/products/{product_id}/stock")
    assert (first.data["room"], first.data["stale"]) == (None, False)
    told = datetime.fromisoformat(first.data["now"])
    assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)


async def test_each_change_of_a_sale_arrives(edge, services, new_product):
    product_id = await new_product(5)
    readers = [await edge.sale(product_id) for _ in range(3)]
    for reader in readers:
        await reader.event("sale")

    await buy(services.ledger, product_id, USERS[0], 2)

    for reader in readers:
        changed = await reader.event("sale", lambda data: data["stock"]["stock"] == 3)
        assert changed.data["stock"]["unsettled"] == 2


async def test_a_sale_that_does_not_change_is_told_again_for_its_time(edge, new_product):
    reader = await edge.sale(await new_product(1))
    first = await reader.event("sale")

    again = await reader.event("sale", after=1)

    assert again.data["now"] > first.data["now"]
    assert {**again.data, "now": ""} == {**first.data, "now": ""}
    assert again.at - first.at > 5, "only the time has changed"


async def test_a_sale_with_a_room_has_both(edge, services, new_product):
    product_id = await new_product(5, on_sale=False)
    starts_at = datetime.now(UTC) + timedelta(hours=1)
    terms = Terms(starts_at=starts_at, room=RoomTerms())
    assert await open_sale(services, product_id, terms) is None
    reader = await edge.sale(product_id)
    first = (await reader.event("sale")).data
    document = await edge.get(f"/api/v5/rooms/{product_id}")

    await services.rooms.join(product_id, USERS[0])

    assert first["room"].keys() == document.keys()
    assert first["room"]["state"] == "prequeue"
    assert first["stock"]["opensAt"] == first["room"]["opensAt"]
    assert await reader.event("sale", lambda data: data["room"]["issued"] == 1)


async def test_a_product_without_a_sale_has_no_stream(edge, services, new_product):
    nothing = await edge.sale("no-such-product")
    other = await new_product(1, on_sale=False)
    await services.stock.open_sale(other, 1, Terms(generation=4))
    of_v4 = await edge.sale(other)
    malformed = await edge.sale("%7Bx%7D")

    for reader, status in ((nothing, 404), (of_v4, 404), (malformed, 422)):
        await reader.wait(lambda reader=reader: reader.closed)
        assert reader.status == status
        assert reader.headers["content-type"] == "application/problem+json"
    assert NO_PRODUCT in nothing.body.decode()


async def test_head_asks_for_no_stream(edge, new_product):
    url = f"{edge.url}/api/v5/products/{await new_product(1)}/events"
    await edge.until(lambda: edge.open_streams() == 0)

    async with httpx.AsyncClient() as http:  # its connection stays open
        answers = [await http.head(url, timeout=20) for _ in range(2)]
        await edge.until(lambda: edge.open_streams() == 0)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].headers["content-type"].startswith("text/event-stream")


async def test_streams_are_counted_and_are_no_latency(edge, new_product):
    before = edge.counted("streams_closed_total", "sale", "gone")
    reader = await edge.sale(await new_product(1))
    await reader.event("sale")
    reader.close()

    await reader.wait(lambda: reader.closed)

    def gone():
        return edge.counted("streams_closed_total", "sale", "gone") > before

    await edge.until(gone)
    assert edge.counted("streams_opened_total", "sale") >= 1
    assert edge.counted("stream_events_total", "sale") >= 1
    assert edge.counted("hub_tick_seconds_count", "sale") >= 0
    route = "/api/v5/products/{product_id}/events"
    assert edge.counted("http_request_seconds_count", "GET", route, "200") == 0
