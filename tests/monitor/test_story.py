"""The page says what each generation is, follows a sale, and shows what became of each."""

import re
import time

import pytest
from playwright.async_api import expect

from flashsale_local.sale.load import buy_all
from flashsale_local.sale.seed import user_ids
from loadtest.spike.sale import Spike, _put_on_sale
from tests.monitor.test_visit import LONG, _choose, _oversell, _press, _spike, _verdict

WORDS = {
    "V1": "naive read-modify-write",
    "V2": "atomic SQL",
    "V3": "Redis + synchronous write",
    "V4": "Redis + queue",
    "V5": "claim and journal, no gap",
    "V5 ASGI": "V5 on a web server",
}
# The figures of a line in the chart "Orders". None is a gap.
LINE = """name => {
  const drawn = document.querySelector('[role=img][aria-label^="Orders, units"]');
  const { series } = getElement(Number(drawn.id.slice(1))).chart.getOption();
  return series.find(one => one.name === name).data.map(point => point[1]);
}"""
# Texts that are cut off: wider than their element, or than the picture they are drawn in.
CUT_OFF = """() => [
  ...[...document.querySelectorAll('button, button span, h1, h2, p, th, td, .q-toggle__label')]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth),
  ...[...document.querySelectorAll('.chart svg text')].filter(one => {
    const text = one.getBoundingClientRect();
    const box = one.ownerSVGElement.getBoundingClientRect();
    return text.left < box.left - 1 || text.right > box.right + 1
      || text.top < box.top - 1 || text.bottom > box.bottom + 1;
  }),
].map(one => one.textContent)"""


def _row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


async def _cells(page, name):
    return await _row(page, name).get_by_role("cell").all_inner_texts()


@pytest.mark.parametrize("channel", WORDS)
async def test_each_button_says_what_the_generation_is(page, channel):
    button = page.get_by_role("button", name=f"Spike through {channel}:")

    await expect(button).to_have_text(f"{channel}{WORDS[channel]}")
    await expect(button).to_have_accessible_name(f"Spike through {channel}: {WORDS[channel]}")


async def test_orders_cross_the_line_of_the_supply_when_v1_oversells(page):
    await _oversell(page)
    await expect(_verdict(page)).to_contain_text("oversold")

    supply, confirmed = [await page.evaluate(LINE, name) for name in ("supply", "confirmed")]

    assert set(supply) - {None} == {60}
    assert confirmed[-1] > 60


async def test_a_spike_is_a_curve(page):
    await _oversell(page)
    await expect(_verdict(page)).to_contain_text("oversold")

    taken = await page.evaluate(LINE, "taken")

    assert len(set(taken)) >= 6, taken


def _failed(summary):
    """Return how many buyers got an error. On a busy machine some are told to try again."""
    counted = re.search(r"(\d+) got an error", summary)
    return counted[1] if counted else "0"


async def test_the_scoreboard_shows_the_generations_side_by_side(page):
    by_v1 = await _oversell(page)
    oversold = re.search(r"(\d+) too many", by_v1)[1]
    by_v5 = await _spike(page, "V5 ASGI")

    await expect(_row(page, "V5 ASGI")).to_contain_text("60 of 60", timeout=LONG)
    *units, slow = await _cells(page, "V1")
    assert units == [f"{60 + int(oversold)} of 60", oversold, "0", _failed(by_v1)], by_v1
    *units, fast = await _cells(page, "V5 ASGI")
    assert units == ["60 of 60", "0", "0", _failed(by_v5)], by_v5
    assert all(re.fullmatch(r"[\d,]+ ms", p95) for p95 in (slow, fast))


@pytest.fixture
def opened_by_a_spike(services):
    """Return a function that opens a sale as `make spike` does."""

    async def open_sale():
        asked = Spike(5, "lambda", "smoke", 1.0, 40, "", 1000.0, 0.01)
        return (await _put_on_sale(services, asked, f"spike-{time.time_ns():x}")).product_id

    return open_sale


async def test_a_sale_that_a_spike_opens_is_followed(page, deployed, opened_by_a_spike):
    await _press(page, "Open a sale")
    await expect(page.get_by_role("log")).to_contain_text("is on sale")

    product_id = await opened_by_a_spike()
    await expect(page.get_by_role("combobox", name="Product")).to_have_value(product_id)
    await buy_all(deployed.api, 5, product_id, user_ids(60), 8, lambda _: None)

    full = "Orders, units: taken 40, confirmed 40, supply 40"
    await expect(page.get_by_role("img", name=full)).to_be_visible(timeout=LONG)
    await expect(_row(page, "V5")).to_contain_text("40 of 40")


async def test_no_sale_is_followed_after_a_visitor_has_chosen_one(page, opened_by_a_spike):
    product = page.get_by_role("combobox", name="Product")
    following = page.get_by_role("switch", name="Follow new sales")
    await _press(page, "Open a sale")
    await expect(product).to_have_value(re.compile("live-"))
    first = await product.input_value()
    await _press(page, "Open a sale")
    await expect(product).not_to_have_value(first)
    await expect(following).to_be_checked()

    await _choose(page, first)
    await expect(following).not_to_be_checked()
    product_id = await opened_by_a_spike()
    await product.click()
    await expect(page.get_by_role("option", name=product_id, exact=True)).to_be_visible()

    await page.keyboard.press("Escape")
    await expect(product).to_have_value(first)


async def test_starting_postgresql_does_not_look_dangerous(page):
    stop = page.get_by_role("button", name="Stop PostgreSQL")
    red = await stop.evaluate("e => getComputedStyle(e).color")
    await stop.click()
    start = page.get_by_role("button", name="Start PostgreSQL")
    await expect(start).to_have_attribute("aria-disabled", "false", timeout=LONG)

    colour = await start.evaluate("e => getComputedStyle(e).color")

    assert red == "rgb(179, 38, 30)"
    assert colour == await page.locator("body").evaluate("e => getComputedStyle(e).color")


async def test_on_a_phone_the_first_chart_is_on_the_first_screen(visit, url):
    page = await visit(url, width=360, height=740)
    chart = page.get_by_role("img", name="Orders, units")
    await expect(chart).to_be_visible()

    box = await chart.bounding_box()

    assert box["y"] + box["height"] <= 740


@pytest.mark.parametrize("width", [360, 390, 1280])
async def test_no_text_is_cut_off(visit, url, width):
    page = await visit(url, width=width)
    await _spike(page, "V5")
    await expect(_verdict(page)).to_contain_text("60 confirmed", timeout=LONG)

    assert await page.locator(".chart svg text").count() > 10
    assert await page.evaluate(CUT_OFF) == []
