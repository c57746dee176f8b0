"""Redis, PostgreSQL and the edge stop in each state and come back. The page says so, and waits."""

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from playwright.async_api import expect

from tests.shop.test_states import kept, live_of, of
from tests.shop.ways import WAYS, called_in_another_tab, in_the_queue

# States that PostgreSQL tells, and that may still change.
OF_ORDERS = {"pending", "reserved"}
# What the page says while nothing is wrong, by how it is told what is new.
LIVE = "async (live) => (await import('/shop/files/words.js')).LIVE[live]"


@asynccontextmanager
async def _without(stack, program, services):
    await asyncio.to_thread(stack.supervisor.stop_program, program.name)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.start, program)
        await services.redis.connection_pool.disconnect()  # those to the server that was stopped


@pytest.fixture
def program(request, stack, edge):
    return {"redis": stack.redis, "postgresql": stack.database, "edge": edge}[request.param]


@pytest.mark.parametrize("program", ["redis", "postgresql", "edge"], indirect=True)
async def test_an_outage_changes_no_state(gallery, program, stack, services):
    pages = {name: of(gallery, name) for name in WAYS}
    before, quiet = {}, {}
    for name, buyer in pages.items():
        await buyer.sees(WAYS[name].state)
        before[name] = await kept(buyer)
        quiet[name] = await buyer.page.evaluate(LIVE, live_of(buyer, name))
        await expect(buyer.page.locator("#live")).to_have_text(quiet[name])
        await buyer.page.evaluate("seen.length = 0")

    async with _without(stack, program, services):
        for name, buyer in pages.items():
            if program is not stack.database or WAYS[name].state in OF_ORDERS:
                await expect(buyer.page.locator("#live")).not_to_have_text(quiet[name])

    for name, buyer in pages.items():
        await expect(buyer.page.locator("#live")).to_have_text(quiet[name])
        await buyer.sees(WAYS[name].state)
        assert set(await buyer.seen()) <= {WAYS[name].state}, name
        assert await kept(buyer) == before[name], name


@pytest.mark.parametrize("program", ["redis", "postgresql"], indirect=True)
async def test_a_reload_in_an_outage_shows_nothing_wrong(gallery, program, stack, services):
    pages = {name: of(gallery, name) for name in WAYS}
    for name, buyer in pages.items():
        await buyer.sees(WAYS[name].state)

    async with _without(stack, program, services):
        await asyncio.gather(*(buyer.page.reload() for buyer in pages.values()))
        for buyer in pages.values():
            await expect(buyer.page.locator("#live")).not_to_be_empty()

    for name, buyer in pages.items():
        await buyer.sees(WAYS[name].state)
        assert set(await buyer.seen()) <= {"loading", WAYS[name].state}, name


@pytest.mark.parametrize("status", [429, 503])
async def test_a_room_without_an_answer_is_still_a_room(shop, status):
    """The stock alone would look like a sale in which everybody can buy."""
    buyer = await in_the_queue(shop.by("poll"))
    room = f"**/rooms/{buyer.product_id}"
    await buyer.page.route(room, lambda route: route.fulfill(status=status))
    await expect(buyer.page.locator("#shop")).to_have_attribute("data-live", "away")

    await buyer.page.unroute(room)

    await expect(buyer.page.locator("#shop")).to_have_attribute("data-live", "poll")
    assert (await buyer.seen())[-1] == "waiting"
    assert "turn" not in await buyer.seen()


async def test_a_reload_without_an_answer_of_the_room_shows_no_turn(shop):
    buyer = await in_the_queue(shop.by("poll"))
    await buyer.page.route(f"**/rooms/{buyer.product_id}", lambda route: route.fulfill(status=503))
    await buyer.page.reload()

    async with buyer.page.expect_response("**/stock"):
        pass
    async with buyer.page.expect_response("**/stock"):
        pass
    assert set(await buyer.seen()) == {"loading"}


async def test_an_older_copy_of_the_room_changes_nothing(shop):
    """While Redis is down, each web worker answers with the copy that it has."""
    buyer = await called_in_another_tab(shop.by("poll"))
    await buyer.sees("called")
    room = f"/rooms/{buyer.product_id}"
    copy = (await shop.http.get(room)).raise_for_status().json()
    an_hour_ago = (datetime.fromisoformat(copy["now"]) - timedelta(hours=1)).isoformat()
    older = {**copy, "serving": 0, "now": an_hour_ago, "stale": True}
    clock = "import('/shop/files/clock.js').then(({ now }) => now())"
    before = await buyer.page.evaluate(clock)

    await buyer.page.route(f"**{room}", lambda route: route.fulfill(json=older))

    await expect(buyer.page.locator("#live")).to_have_text(re.compile("may be old"))
    assert await buyer.page.evaluate(clock) > before
    await buyer.page.unroute(f"**{room}")
    await expect(buyer.page.locator("#live")).not_to_have_text(re.compile("may be old"))
    assert (await buyer.seen())[-1] == "called"
    assert (await buyer.seen()).count("called") == 1
