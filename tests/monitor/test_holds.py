"""A visitor sees units that are held until they are paid, and pays for one of them."""

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
    await _press(page, "Let them expire")
    await expect(log).to_contain_text("The last hold ends at")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for kind, shown in {"desktop": page, "phone": phone}.items():
        await shown.screenshot(path=SCREENSHOTS / f"monitor-hold-{kind}.png", full_page=True)
