"""Every state on phones and desks, in light and dark, by keyboard, and for screen readers."""

import re

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.helpers.support import until
from tests.shop.test_states import of
from tests.shop.ways import WAYS, inside, without_a_room

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}
# What is drawn beyond the right edge, and how far the page can be scrolled.
OVERFLOW = """() => [
  ...[...document.querySelectorAll('main *')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
  }).map((one) => one.outerHTML.slice(0, 120)),
  ...(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : []),
]"""
# The figure is drawn wider than its box where its text does not fit.
CUT = """() => { const one = document.querySelector('#figure');
  const range = document.createRange(); range.selectNodeContents(one);
  return Math.max(0, range.getBoundingClientRect().right - innerWidth); }"""
# The focused element, and whether an outline is drawn around it.
FOCUS = """() => {
  const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
  return [one.id || one.textContent.trim() || one.tagName,
    outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2];
}"""
MOVING = """() => [...document.querySelectorAll('*')].map((one) => getComputedStyle(one))
  .filter((one) => one.animationName !== 'none' || parseFloat(one.transitionDuration))
  .length"""
STILL = "document.getAnimations().every((one) => one.playState !== 'running')"
CONTROLS = """() => [...document.querySelectorAll('button, input, summary, a[href]')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .map((one) => one.id || one.textContent.trim())"""


@pytest_asyncio.fixture(loop_scope="session", params=WAYS)
async def page(request, streamed):
    """Return the page in one state after the other, on a desk and in light mode."""
    buyer = of(streamed, request.param)
    await buyer.sees(WAYS[request.param].state)
    yield buyer.page
    await buyer.page.set_viewport_size({"width": 1280, "height": 720})
    await buyer.page.emulate_media(color_scheme="light")


async def test_axe_finds_nothing(page):
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # Colours change in half a second where motion is on.
        await until(lambda: page.evaluate(STILL))

        found = await Axe().run(page, options=RULES)

        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


async def test_nothing_is_wider_than_the_screen(page):
    for width in (360, 768, 1440):
        await page.set_viewport_size({"width": width, "height": 800})

        assert await page.evaluate(OVERFLOW) == [], width
        assert await page.evaluate(CUT) == 0, width


async def test_every_control_is_reached_by_tab_and_seen(page):
    wanted = await page.evaluate(CONTROLS)
    reached = []
    await page.evaluate("document.activeElement.blur(); getSelection().removeAllRanges()")

    for _ in range(len(wanted) + 1):
        await page.keyboard.press("Tab")
        name, is_outlined = await page.evaluate(FOCUS)
        if name in wanted:
            assert is_outlined, name
            reached.append(name)

    assert sorted(set(reached)) == sorted(wanted)


async def test_a_purchase_by_keyboard_keeps_the_focus(shop):
    buyer = await without_a_room(shop)
    await buyer.page.get_by_role("button", name="Buy").focus()

    await buyer.page.keyboard.press("Enter")

    await buyer.sees("paid")
    assert await buyer.page.evaluate("document.activeElement.id") == "title"
    await buyer.page.keyboard.press("Tab")
    assert (await buyer.page.evaluate(FOCUS))[0] == "Buy another one"


async def test_a_button_keeps_the_focus_while_figures_change(shop):
    product_id, _ = await shop.occupied()
    buyer = await shop.visit(product_id)
    await buyer.sign_in()
    await buyer.page.get_by_role("button", name="Join the queue").focus()
    figure = buyer.page.locator("#figure")
    await expect(figure).to_have_text("0")

    await shop.join(product_id, "u-00298")

    await expect(figure).to_have_text("1")
    assert (await buyer.page.evaluate(FOCUS))[0] == "Join the queue"


async def test_a_turn_is_said_at_once_and_the_rest_politely(shop):
    buyer = await inside(shop)
    await buyer.sees("turn")

    await expect(buyer.page.get_by_role("alert")).to_contain_text("Your turn")
    await expect(buyer.page).to_have_title(re.compile("^Your turn · "))


async def test_what_was_refused_is_said_politely(shop):
    buyer = await shop.visit(await shop.sale(limit=1))
    await shop.buy(buyer.product_id, buyer.user)

    await buyer.buy()

    await expect(buyer.page.locator("#notice")).not_to_be_empty()
    assert await buyer.page.locator("#notice, #live").evaluate_all(
        "all => all.every((one) => one.getAttribute('role') === 'status')"
    )
    await buyer.sees("turn")


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
async def test_motion_is_as_the_visitors_system_wants_it(shop, wish):
    buyer = await shop.visit("no-such-product", reduced_motion=wish)
    await buyer.sees("missing")

    moving = await buyer.page.evaluate(MOVING)

    assert bool(moving) == (wish == "no-preference")
