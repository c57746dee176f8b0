"""A visitor sees units that are held until they are paid, pays for some, and lets some expire."""

import re

from playwright.async_api import expect

from tests.monitor.conftest import SCREENSHOTS
from tests.monitor.test_visit import LONG, _press, _verdict


async def test_a_visitor_pays_for_one_of_the_held_units(visit, url):
    page = await visit(url, width=1280, height=1000)
    phone = await visit(url, width=390, height=844, color_scheme="dark")

    await _press(page, "Spike with a hold")

    held = "60 units = 0 in stock + 0 on the way + 60 held until paid + 0 confirmed"
    await expect(_verdict(page)).to_contain_text(held, timeout=LONG)
    await expect(_verdict(page)).to_contain_text("Every unit is accounted for")
    log = page.get_by_role("log")
    await expect(log).to_contain_text("60 units are held until they are paid", timeout=LONG)
    stock = page.get_by_role("img", name="Stock, units: in stock 0, held until paid 60")
    await expect(stock).to_be_visible()
    await _press(page, "Pay one")
    await expect(log).to_contain_text("1 of 60 held orders of")
    await expect(_verdict(page)).to_contain_text("59 held until paid + 1 confirmed", timeout=LONG)
    await expect(page.get_by_text("Units: 59 held until paid, 1 confirmed")).to_be_visible()
    orders = page.get_by_role("img", name="Orders, units: taken 60, confirmed 1, supply 60")
    await expect(orders).to_be_visible()

    await _press(page, "Let them expire")
    await expect(log).to_contain_text("59 held orders of")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for kind, shown in {"desktop": page, "phone": phone}.items():
        await expect(_verdict(shown)).to_contain_text("1 confirmed")
        await shown.screenshot(path=SCREENSHOTS / f"monitor-hold-{kind}.png", full_page=True)
    # A minute for the buyers, one for payments on their way, and the edge's next look.
    back = re.compile(r"60 units = 59 in stock .* 1 confirmed\. 59 were not paid in time")
    await expect(_verdict(page)).to_contain_text(back, timeout=2 * LONG)
    await expect(_verdict(page)).to_contain_text("Every unit is accounted for")


async def test_without_a_held_order_the_buttons_say_so(page):
    await _press(page, "Open a sale")
    await expect(page.get_by_role("log")).to_contain_text("is on sale")

    for button in ("Pay one", "Pay all", "Let them expire"):
        await _press(page, button)
        await expect(page.get_by_role("log").locator("p").first).to_have_text(
            re.compile(r"^No order of live-v5-asgi-\S+ is held\.$")
        )
