"""Each state of the page is reached by a buyer's own clicks, and kept by a reload and a crash."""

import pytest
from playwright.async_api import expect

from tests.shop.ways import WAYS

# What the page remembers that must be the same afterwards.
KEPT = ("ticket", "arrival", "epoch", "commitment", "admission", "until", "order", "key")
# Beside those of the state: of the footer, of the form that asks who buys, of the draw.
OTHERS = {"Sign out", "Continue", "Check the draw"}
# The shop has no stream of these.
POLLED = ("missing", "unknown")


def of(gallery, name):
    """Return the buyer who went this way. Raise what went wrong on it."""
    if isinstance(gallery[name], Exception):
        raise gallery[name]
    return gallery[name]


async def kept(buyer):
    """Return what a buyer must not lose: all that is remembered, their place and their order."""
    shown = await buyer.page.locator("#place, #order").all_inner_texts()
    remembered = await buyer.remembered()
    return {name: remembered[name] for name in KEPT if name in remembered}, shown


def live_of(buyer, name):
    """Return how the page of this way is told what is new."""
    return "poll" if WAYS[name].state in POLLED else buyer.shop.live


async def _buttons(page):
    names = await page.get_by_role("button").all_inner_texts()
    return {name.strip() for name in names if name.strip()}


@pytest.mark.parametrize("name", WAYS)
async def test_a_buyer_comes_to_each_state(gallery, name):
    buyer = of(gallery, name)

    await buyer.sees(WAYS[name].state)

    live = live_of(buyer, name)
    await expect(buyer.page.locator("#shop")).to_have_attribute("data-live", live)
    offered = await _buttons(buyer.page) - OTHERS
    assert offered == set(WAYS[name].buttons)


@pytest.mark.parametrize("name", WAYS)
async def test_a_reload_goes_on_where_the_buyer_was(gallery, name):
    buyer = of(gallery, name)
    await buyer.sees(WAYS[name].state)
    before = await kept(buyer)

    await buyer.page.reload()

    await buyer.sees(WAYS[name].state)
    assert set(await buyer.seen()) <= {"loading", WAYS[name].state}
    assert await kept(buyer) == before


@pytest.mark.parametrize("name", WAYS)
async def test_a_crash_goes_on_where_the_buyer_was(streamed, name):
    buyer = of(streamed, name)
    await buyer.sees(WAYS[name].state)
    before = await kept(buyer)

    streamed[name] = again = await buyer.crash()

    await again.sees(WAYS[name].state)
    assert await kept(again) == before
