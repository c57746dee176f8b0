"""The charts never contradict the verdict, and the verdict names a server that is down."""

import re

import pytest
from playwright.async_api import expect

from tests.monitor.test_visit import LONG, _press, _spike, _verdict

# Records, at each frame, the verdict and the labels of the charts for screen readers.
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


@pytest.mark.parametrize("channel", ["V3", "V4", "V5", "V5 ASGI"])
async def test_during_a_spike_charts_and_verdict_agree(page, channel):
    await page.evaluate(WATCH)

    await _spike(page, channel)
    # V3 loses the unit of a request that is cut off.
    sold = r"\d+" if channel == "V3" else "60"
    all_have_ended = re.compile(rf"\+ 0 on the way \+ {sold} confirmed")
    await expect(_verdict(page)).to_contain_text(all_have_ended, timeout=LONG)

    seen = await page.evaluate("window.seen")
    drawn = [frame for frame in seen if frame[2] and "unknown" not in frame[1] + frame[2]]
    assert len(drawn) > 2, seen
    for verdict, in_stock, orders in drawn:
        stock, held = _figures(in_stock)
        taken, confirmed, supply = _figures(orders)
        assert held == 0, in_stock
        assert confirmed <= taken <= supply, orders
        if shown := re.search(r"60 units . (\d+) in stock .* \+ (\d+) confirmed", verdict):
            assert [stock, confirmed] == [int(figure) for figure in shown.groups()], verdict
        if shown := re.search(r"(\d+) of 60 units left", verdict):
            assert [stock, taken] == [int(shown[1]), 60 - int(shown[1])], verdict


def _figures(label):
    return [int(figure) for figure in re.findall(r" (\d+)(?:,|$)", label)]


async def test_the_verdict_names_redis_when_it_is_down(page, stack, redis_runs):
    await _press(page, "Open a sale")
    await expect(_verdict(page)).to_contain_text("60 units = 60 in stock")

    stack.supervisor.stop_program("valkey")

    await expect(_verdict(page)).to_contain_text("Redis does not answer")
    await expect(_verdict(page)).to_contain_text("It is unknown where the units are")
    await expect(_verdict(page)).to_have_attribute("data-status", "no-answer")
    nothing = "Stock, units: in stock unknown, held until paid unknown"
    stock = page.get_by_role("img", name=nothing, exact=True)
    await expect(stock).to_be_visible()
    colour = await _verdict(page).evaluate("e => getComputedStyle(e).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    assert red > green > blue, "amber"

    stack.start(stack.redis)
    await expect(_verdict(page)).to_contain_text("60 units = 60 in stock", timeout=LONG)
