"""A visitor sees who waits in the room of a sale, and calls nobody by that."""

import httpx
from playwright.async_api import expect

from flashsale.domain.rooms import Admitted, RoomTerms
from flashsale.redis_store.scripts import Keys
from tests.helpers.support import USERS
from tests.integration.roomed_sale import RoomedSale
from tests.monitor.conftest import SCREENSHOTS
from tests.monitor.test_visit import _choose, _press

ROOM = RoomTerms(max_inside=2, max_rate=6000)


async def test_a_visitor_sees_who_waits_and_calls_nobody(
    visit, url, asgi_url, services, new_product
):
    page = await visit(url, width=1280, height=1000)
    phone = await visit(url, width=390, height=844, color_scheme="dark")
    room = page.get_by_role("heading", name="Waiting room")
    await expect(room).to_be_hidden()
    sale = RoomedSale(services, await new_product(5, on_sale=False), ROOM)
    await sale.open()
    for user in USERS[:3]:
        await sale.join(user)
    await sale.begin()
    await sale.draw()

    await _choose(page, sale.product_id)

    text = "3 waiting, 0 of 2 inside, 6,000 calls a minute: everybody who waits was called."
    await expect(page.get_by_text(text)).to_be_visible()
    assert await services.redis.hget(Keys(sale.product_id).door, "serving") == "0"
    async with httpx.AsyncClient(base_url=asgi_url, timeout=30) as client:
        (await client.get(f"/api/v5/rooms/{sale.product_id}")).raise_for_status()
    text = "1 waiting, 0 of 2 inside, 6,000 calls a minute: limited by the users inside."
    await expect(page.get_by_text(text)).to_be_visible()

    answer = await services.rooms.admit(sale.product_id, USERS[0], 0, 1)
    assert isinstance(answer, Admitted)
    await services.rooms.set_paused(sale.product_id, paused=True)

    text = "1 waiting, 1 of 2 inside, no calls: paused."
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for kind, shown in {"desktop": page, "phone": phone}.items():
        await expect(shown.get_by_text(text)).to_be_visible()
        await shown.screenshot(path=SCREENSHOTS / f"monitor-room-{kind}.png", full_page=True)
    await _press(page, "Open a sale")
    await expect(room).to_be_hidden()
