"""The page on a phone, in dark and light mode, by keyboard, and for screen readers."""

import re

import pytest
from playwright.async_api import expect

CONTROLS = {
    "Product", "Follow new sales", "Spike through V1", "Spike through V2", "Spike through V3",
    "Spike through V4", "Spike through V5", "Spike through V5 ASGI", "Stop PostgreSQL",
    "Units", "Sold by", "Open a sale", "Buy one", "Redrive dlq to orders", "Redrive parking to dlq",
}  # fmt: skip

# The name of the focused element, and whether an outline is drawn around it or its field.
FOCUS = """() => {
  const one = document.activeElement, style = e => getComputedStyle(e);
  const box = one.closest('.q-field')?.querySelector('.q-field__control') ?? one;
  return {
    // Without what the generation is.
    name: (one.getAttribute('aria-label') ?? one.innerText.trim()).split(':')[0],
    outlined: style(box).outlineStyle !== 'none' && parseFloat(style(box).outlineWidth) >= 2,
  };
}"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_a_phone_scrolls_in_one_direction_only(visit, url, scheme):
    page = await visit(url, width=360, height=780, color_scheme=scheme)
    await expect(page.get_by_role("button", name="Buy one")).to_be_visible()

    width = await page.evaluate("document.documentElement.scrollWidth")
    outside = await page.evaluate(
        "[...document.querySelectorAll('button, input, h1, h2, p, [role=img]')]"
        ".filter(e => e.offsetWidth && e.getBoundingClientRect().right > innerWidth)"
        ".map(e => e.outerHTML)"
    )

    assert width == 360
    assert outside == []


@pytest.mark.parametrize(("scheme", "dark"), [("dark", True), ("light", False)])
async def test_the_page_follows_the_dark_mode_of_the_system(visit, url, scheme, dark):
    page = await visit(url, color_scheme=scheme)
    await expect(page.get_by_role("heading", name="flashsale")).to_be_visible()

    for element in ("body", "section.box"):
        colour = await page.locator(element).first.evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
        assert (brightness < 100) == dark


async def test_every_control_is_reached_by_tab_and_shows_its_focus(page):
    await expect(page.get_by_role("button", name="Buy one")).to_be_visible()
    reached = {}

    for _ in range(2 * len(CONTROLS)):
        await page.keyboard.press("Tab")
        focus = await page.evaluate(FOCUS)
        reached[focus["name"]] = focus["outlined"]

    assert reached.keys() >= CONTROLS
    assert [name for name in CONTROLS if not reached[name]] == []


async def test_a_sale_needs_the_keyboard_only(page):
    await expect(page.get_by_role("button", name="Buy one")).to_be_visible()

    async def tab_to(name):
        for _ in range(2 * len(CONTROLS)):
            await page.keyboard.press("Tab")
            if (await page.evaluate(FOCUS))["name"] == name:
                return
        pytest.fail(f"Tab does not reach {name}")

    await tab_to("Units")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("5")
    await tab_to("Sold by")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("option", name="V2")).to_be_visible()
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("option", name="V2")).to_be_hidden()
    await tab_to("Open a sale")
    await page.keyboard.press("Enter")
    log = page.get_by_role("log")
    await expect(log).to_contain_text("is on sale: 5 units")
    await tab_to("Buy one")
    await page.keyboard.press("Space")

    await expect(log).to_contain_text("sold you one unit")
    assert (await page.evaluate(FOCUS))["name"] == "Buy one", "the focus stays where it was"


async def test_every_element_has_a_name_and_results_are_announced(page):
    await expect(page.get_by_role("button", name="Buy one")).to_be_visible()

    tree = await page.locator("body").aria_snapshot()

    roles = r"button|combobox|spinbutton|textbox|link|status|group|heading|region|dialog|checkbox"
    nameless = re.findall(rf"^\s*- '?(?:{roles})(?! \"|: ).*$", tree, re.MULTILINE)
    assert nameless == [], tree
    for role in ("status", "log"):
        assert await page.get_by_role(role).get_attribute("aria-live") == "polite"
    assert await page.locator("html").get_attribute("lang") == "en-US"
