"""The page draws nothing that contradicts its sentence, and says loudly what does not answer."""

import re

import pytest
from playwright.async_api import expect

from tests.monitor.test_visit import LONG, _press, _spike, _verdict

# Each time that the page draws: its sentence, and what the charts say to a screen reader.
WATCH = """() => {
  window.seen = [];
  const look = () => {
    const label = start => document.querySelector(`[role=img][aria-label^="${start}"]`)?.ariaLabel;
    const now = [
      document.querySelector('.verdict').innerText, label('Stock, units'), label('Orders, units'),
    ];
    if (String(now) !== String(window.seen.at(-1))) window.seen.push(now);
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def redis_runs(stack):
    yield
    stack.start(stack.redis)


@pytest.mark.parametrize("way", ["V3", "V4", "V5", "V5 ASGI"])
async def test_all_through_a_spike_charts_and_sentence_agree(page, way):
    await page.evaluate(WATCH)

    await _spike(page, way)
    await expect(_verdict(page)).to_contain_text("+ 0 on the way + 60 confirmed", timeout=LONG)

    seen = await page.evaluate("window.seen")
    drawn = [one for one in seen if one[2] and "unknown" not in one[1] + one[2]]
    assert len(drawn) > 2, seen
    for sentence, in_stock, orders in drawn:
        (stock,) = _figures(in_stock)
        taken, confirmed = _figures(orders)
        assert confirmed <= taken <= 60, orders
        if said := re.search(r"60 units . (\d+) in stock .* \+ (\d+) confirmed", sentence):
            assert [stock, confirmed] == [int(figure) for figure in said.groups()], sentence
        if said := re.search(r"(\d+) of 60 units left", sentence):
            assert [stock, taken] == [int(said[1]), 60 - int(said[1])], sentence


def _figures(label):
    return [int(figure) for figure in re.findall(r" (\d+)(?:,|$)", label)]


async def test_a_redis_that_is_down_is_said_loudly(page, stack, redis_runs):
    await _press(page, "Open a sale")
    await expect(_verdict(page)).to_contain_text("60 units = 60 in stock")

    stack.supervisor.stop_program("valkey")

    await expect(_verdict(page)).to_contain_text("Redis does not answer")
    await expect(_verdict(page)).to_contain_text("Nobody can say where the units are")
    await expect(_verdict(page)).to_have_attribute("data-mood", "blind")
    stock = page.get_by_role("img", name="Stock, units: in stock unknown", exact=True)
    await expect(stock).to_be_visible()
    colour = await _verdict(page).evaluate("e => getComputedStyle(e).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    assert red > green > blue, "amber"

    stack.start(stack.redis)
    await expect(_verdict(page)).to_contain_text("60 units = 60 in stock", timeout=LONG)
