"""A visitor sees V1 oversell, V3 lose units and V5 stay correct."""

import re

import boto3
from playwright.async_api import expect

from tests.monitor.conftest import SCREENSHOTS

# Milliseconds for a spike on a busy machine, including the warm-up before it.
LONG = 120_000


def _verdict(page):
    return page.get_by_role("region", name="Verdict")


async def _spike(page, channel):
    """Send a spike and return its summary."""
    news = page.get_by_role("log")
    before = await news.text_content()
    await page.get_by_role("button", name=f"Spike through {channel}:").click()
    # The page may show the result of an earlier spike, also of the same generation.
    await expect(news).not_to_have_text(before, timeout=LONG)
    await expect(news.locator("p").first).to_contain_text(f"{channel}: ", timeout=LONG)
    return await news.locator("p").first.inner_text()


async def _colour(page):
    return await _verdict(page).evaluate("e => getComputedStyle(e).backgroundColor")


async def _press(page, name):
    await page.get_by_role("button", name=name, exact=True).click()


async def test_a_visitor_opens_a_sale_and_buys_one(page):
    await page.get_by_role("spinbutton", name="Units").fill("7")
    await _press(page, "Open a sale")
    await expect(page.get_by_role("log")).to_contain_text("7 units, sold by V5 ASGI")
    await expect(_verdict(page)).to_contain_text("7 units = 7 in stock")

    await _press(page, "Buy one")

    await expect(page.get_by_role("log")).to_contain_text("sold you one unit")
    settled = "7 units = 6 in stock + 0 on the way + 1 confirmed"
    await expect(_verdict(page)).to_contain_text(settled, timeout=LONG)
    orders = page.get_by_role(
        "img", name="Orders, units: taken 1, confirmed 1, supply 7", exact=True
    )
    await expect(orders).to_be_visible()


async def _oversell(page):
    """Send spikes through V1 until its race shows."""
    for _ in range(3):
        summary = await _spike(page, "V1")
        if "No two buyers collided" not in summary:
            break
    return summary


async def test_v1_oversells_in_red_and_v5_stays_correct_in_green(page):
    summary = await _oversell(page)

    assert re.search(r"Between the read and the write.* \d+ too many were sold", summary)
    await expect(_verdict(page)).to_contain_text(re.compile(r"\d+ units oversold"))
    red = await _colour(page)
    for channel in ("V5", "V5 ASGI"):
        summary = await _spike(page, channel)

        assert re.search(r"60 units, \d+ sold.* V5 takes the unit and records the claim", summary)
        await expect(_verdict(page)).to_contain_text("Every unit is accounted for")
        green = await _colour(page)
        assert _reddish(red)
        assert not _reddish(green)


def _reddish(colour):
    red, green, _ = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return red > green


async def test_without_postgres_v3_loses_units_and_v4_and_v5_wait(page):
    await _press(page, "Stop PostgreSQL")
    start = page.get_by_role("button", name="Start PostgreSQL", exact=True)
    await expect(start).to_be_visible()

    summary = await _spike(page, "V3")

    lost = re.search(r"did not store the orders of (\d+) units, and nothing returned", summary)
    assert lost
    await expect(_verdict(page)).to_contain_text(f"{lost[1]} units lost")
    assert _reddish(await _colour(page))
    taken = f"Orders, units: taken {lost[1]}, confirmed 0, supply 60"
    await expect(page.get_by_role("img", name=taken, exact=True)).to_be_visible()
    explained = f"{lost[1]} units left the stock without an order."
    await expect(_verdict(page)).to_contain_text(explained)
    v3 = await page.get_by_role("combobox", name="Product").input_value()
    for channel in ("V4", "V5"):
        assert "sells even while PostgreSQL is down. 60 units wait" in await _spike(page, channel)
        await expect(_verdict(page)).to_contain_text("Every unit is accounted for")
        await expect(_verdict(page)).to_contain_text("PostgreSQL is down")
    await start.click()
    await expect(page.get_by_role("log")).to_contain_text("PostgreSQL is back")
    # Messages of this deployment expire within seconds. So some orders may be cancelled, and their
    # units are in the stock again.
    await expect(_verdict(page)).to_contain_text("+ 0 on the way", timeout=LONG)
    await expect(_verdict(page)).to_contain_text("Every unit is accounted for")
    for channel in ("V4", "V5"):
        await _spike(page, channel)
        confirmed = "60 units = 0 in stock + 0 on the way + 60 confirmed"
        await expect(_verdict(page)).to_contain_text(confirmed, timeout=LONG)
    await _choose(page, v3)
    await expect(_verdict(page)).to_contain_text(f"{lost[1]} units lost")


async def _choose(page, product_id):
    await page.get_by_role("combobox", name="Product").click()
    await page.get_by_role("option", name=product_id, exact=True).click()


async def test_a_poisoned_message_is_shown_opened_and_redriven(page, deployed):
    orders = deployed.queues["orders"]
    boto3.client("sqs").purge_queue(
        QueueUrl=deployed.queues["parking"]
    )  # remove messages of other tests
    boto3.client("sqs").send_message(QueueUrl=orders, MessageBody="poison <b>pill</b>")
    section = page.locator("section", has=page.get_by_role("heading", name="Messages that failed"))
    parked = section.get_by_role("row", name="parking")
    await expect(parked).to_contain_text("not an order", timeout=LONG)

    await parked.get_by_role("button", name="Peek at message").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("poison <b>pill</b>")
    await expect(dialog).to_contain_text("in parking, received 10 times")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()

    await _press(page, "Redrive parking to dlq")
    moved = "1 message moved from parking to dlq."
    await expect(page.get_by_role("log")).to_contain_text(moved)
    await expect(section.get_by_role("row", name="dlq")).to_be_visible()
    await expect(parked).to_be_hidden()
    await expect(parked).to_be_visible(timeout=LONG)  # after ten more attempts of the rollback
    boto3.client("sqs").purge_queue(QueueUrl=deployed.queues["parking"])
    await expect(section).to_contain_text("None.")


async def test_pictures_of_an_oversold_and_a_correct_sale(visit, url):
    """Take screenshots. CI keeps them as artefacts, and the documentation shows such ones."""
    page = await visit(url, width=1280, height=1000)
    phone = await visit(url, width=390, height=844, color_scheme="dark")
    for channel, verdict in (("V1", "oversold"), ("V5", "accounted for")):
        await (_oversell(page) if channel == "V1" else _spike(page, channel))
        await _take_pictures(channel.lower(), verdict, {"desktop": page, "phone": phone})


async def test_pictures_of_an_outage(visit, url):
    page = await visit(url, width=1280, height=1000, color_scheme="dark")
    await _press(page, "Stop PostgreSQL")
    await expect(page.get_by_role("button", name="Start PostgreSQL")).to_be_visible()
    await _spike(page, "V3")
    await _take_pictures("outage", "units lost", {"dark": page})


async def _take_pictures(name, verdict, pages):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for kind, page in pages.items():
        await expect(_verdict(page)).to_contain_text(verdict)
        path = SCREENSHOTS / f"monitor-{name}-{kind}.png"
        await page.screenshot(path=path)
        assert path.stat().st_size > 10_000
