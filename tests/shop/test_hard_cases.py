"""A purchase is made once, and an order is not lost, whatever answers and whatever is opened."""

import asyncio

import pytest
from playwright.async_api import expect

from flashsale.domain.model import Terms
from flashsale.usecases import sales
from tests.shop.ways import held

BUY = "**/api/v5/buy"
# A browser tells a tab late what another one has stored.
DEAF = "addEventListener('storage', (event) => event.stopImmediatePropagation(), true);"
ANOTHER = "#order=p-01:1700000000000-0"
AN_OLD_KEY = """name => {
  const mine = JSON.parse(localStorage.getItem(name));
  localStorage.setItem(name, JSON.stringify({ ...mine, keyAt: Date.now() - 21 * 3600 * 1000 }));
}"""


async def _lose_answers(buyer):
    async def lose(route):
        await route.fetch()
        await route.abort()

    await buyer.page.route(BUY, lose)


async def _another_tab(buyer, fragment=""):
    page = await buyer.page.context.new_page()
    buyer.shop.complaints.watch(page)
    tab = type(buyer)(buyer.shop, page, buyer.product_id, buyer.user)
    await page.goto(f"{buyer.shop.url}/shop/{buyer.product_id}{fragment}")
    return tab


async def _two_deaf_tabs(shop):
    """Return two tabs of one buyer, who can buy in each."""
    one = await shop.visit(await shop.sale(hold=3600), script=DEAF)
    await one.sees("turn")
    await one.sign_in()
    other = await _another_tab(one)
    await other.sees("turn")
    return one, other


async def test_an_answer_of_a_firewall_says_nothing_of_a_purchase(shop):
    product_id = await shop.sale(hold=3600)
    buyer = await shop.visit(product_id)
    keys = []

    async def answer(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        elif len(keys) == 2:
            await route.fulfill(status=403, content_type="text/html", body="<h1>Blocked</h1>")
        else:
            await route.continue_()

    await buyer.page.route(BUY, answer)
    await buyer.buy()

    await buyer.sees("reserved")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert await shop.taken(product_id) == 1


async def test_the_address_of_another_order_replaces_no_order(shop):
    buyer = await held(shop)
    await buyer.sees("reserved")
    before = await buyer.remembered()

    tab = await _another_tab(buyer, ANOTHER)

    await tab.sees("reserved")
    assert tab.page.url == buyer.page.url
    assert await buyer.remembered() == before
    await buyer.sees("reserved")


async def test_the_address_of_an_order_ends_no_purchase(shop):
    product_id = await shop.sale(hold=3600)
    buyer = await shop.visit(product_id)
    await _lose_answers(buyer)
    await buyer.buy()
    await expect(buyer.page.locator("#notice")).to_have_text("No answer came. Try again.")

    tab = await _another_tab(buyer, ANOTHER)

    await tab.sees("reserved")
    await buyer.sees("reserved")
    assert await shop.taken(product_id) == 1


async def test_two_tabs_buy_once_also_if_they_do_not_hear_each_other(shop):
    one, other = await _two_deaf_tabs(shop)

    await one.press("Buy")
    await one.sees("reserved")
    await other.press("Buy")

    await other.sees("reserved")
    assert await shop.taken(one.product_id) == 1


async def test_two_tabs_that_buy_at_the_same_time_buy_once(shop):
    one, other = await _two_deaf_tabs(shop)
    has_bought = asyncio.Event()

    async def be_late(route):
        await has_bought.wait()
        await route.continue_()

    await one.page.route(BUY, be_late)
    await one.press("Buy")
    await one.sees("pending")
    await other.press("Buy")
    await other.sees("reserved")
    has_bought.set()

    await one.sees("reserved")
    assert await shop.taken(one.product_id) == 1


async def test_a_purchase_that_the_shop_may_have_forgotten_is_not_repeated(shop):
    product_id = await shop.sale(hold=3600)
    buyer = await shop.visit(product_id)
    await _lose_answers(buyer)
    await buyer.buy()
    await expect(buyer.page.locator("#notice")).to_have_text("No answer came. Try again.")
    await buyer.page.evaluate(AN_OLD_KEY, f"flashsale:{product_id}:{buyer.user}")

    await buyer.page.goto("about:blank")  # or it would forget the key first

    tab = await _another_tab(buyer)

    await expect(tab.page.locator("#notice")).to_contain_text("had no answer for a day")
    await tab.sees("turn")
    assert await shop.taken(product_id) == 1


@pytest.mark.parametrize("live", ["stream", "poll"])
async def test_a_sale_of_another_generation_is_no_sale_of_this_page(shop, live):
    product_id = await shop.product(1)
    assert await sales.open_sale(shop.services, product_id, Terms(generation=4)) is None

    buyer = await shop.by(live).visit(product_id)

    await buyer.sees("missing")


async def test_without_storage_the_page_works_until_it_is_closed(shop):
    product_id = await shop.sale(hold=3600)
    script = "Object.defineProperty(window, 'localStorage', { get() { throw new Error(); } });"
    buyer = await shop.visit(product_id, script=script)

    await buyer.buy()

    await buyer.sees("reserved")
    assert await shop.taken(product_id) == 1
