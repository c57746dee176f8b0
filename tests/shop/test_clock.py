"""The page counts by the shop's clock, whatever the visitor's says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.shop.shop import ROOM, in_an_hour

WRONG = """
const Real = Date, wrong = {milliseconds};
window.Date = class extends Real {{
  constructor(...given) {{ given.length ? super(...given) : super(Real.now() + wrong); }}
  static now() {{ return Real.now() + wrong; }}
}};
"""
HOUR = 3_600_000
# By how much a countdown may differ from the shop's time, in seconds, on a machine that stalls. The
# visitor's clock is wrong by far more.
NEAR = 30


async def _seconds_shown(buyer):
    """Return the countdown in seconds, and the time at which it was read."""
    shown = await buyer.page.locator("#figure").inner_text()
    at = datetime.now(UTC)
    seconds = 0
    for part in shown.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds, at


async def _closed(shop, script):
    ends = in_an_hour()
    return await shop.visit(await shop.sale(starts_at=ends), script=script), "closed", ends


async def _prequeue(shop, script):
    ends = in_an_hour()
    return (
        await shop.visit(await shop.sale(room=ROOM, starts_at=ends), script=script),
        "prequeue",
        ends,
    )


async def _turn(shop, script):
    room = replace(ROOM, admission_seconds=1800)
    buyer = await shop.visit(await shop.sale(room=room), script=script)
    await buyer.join()
    await buyer.sees("turn")
    return buyer, "turn", datetime.fromisoformat((await buyer.remembered())["until"])


async def _reserved(shop, script):
    buyer = await shop.visit(await shop.sale(hold=1800), script=script)
    await buyer.buy()
    await buyer.sees("reserved")
    order = (await buyer.remembered())["order"]
    answer = await shop.http.get(f"/orders/{order}")
    return buyer, "reserved", datetime.fromisoformat(answer.json()["expiresAt"])


@pytest.mark.parametrize("live", ["stream", "poll"])
@pytest.mark.parametrize("wrong", [HOUR, -HOUR])
@pytest.mark.parametrize("come", [_closed, _prequeue, _turn, _reserved])
async def test_countdowns_are_right_where_the_visitors_clock_is_not(shop, live, wrong, come):
    script = WRONG.format(milliseconds=wrong)

    buyer, state, ends = await come(shop.by(live), script)

    await buyer.sees(state)
    there = await buyer.page.evaluate("Date.now()") / 1000
    assert abs(there - datetime.now(UTC).timestamp()) > 3000, "the clock is wrong"
    seconds, at = await _seconds_shown(buyer)
    assert abs((ends - at).total_seconds() - seconds) <= NEAR


async def test_a_countdown_ends_when_the_sale_begins(shop):
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=15)
    buyer = await shop.visit(
        await shop.sale(starts_at=starts_at), script=WRONG.format(milliseconds=HOUR)
    )
    await buyer.sees("closed")

    await buyer.sees("turn")

    assert datetime.now(UTC) >= starts_at
    assert (await buyer.seen())[-2:] == ["closed", "turn"]
