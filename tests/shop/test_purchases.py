"""One click is one order, whatever is lost on the way, and units that come back are for sale."""

from urllib.parse import unquote

import pytest
from playwright.async_api import expect

from flashsale.usecases import sales
from tests.shop.shop import ROOM
from tests.shop.ways import called_in_another_tab, held, in_the_queue, inside, too_late

BUY = "**/api/v5/buy"


async def _lose_the_answer(buyer, times=1):
    """Let the next requests to buy reach the shop, and lose its answers. Return their keys."""
    keys = []

    async def lose(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) <= times:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await buyer.page.route(BUY, lose)
    return keys


@pytest.mark.parametrize("live", ["stream", "poll"])
async def test_a_purchase_whose_answer_was_lost_is_one_order(shop, live):
    product_id = await shop.sale(hold=3600)
    buyer = await shop.by(live).visit(product_id)
    keys = await _lose_the_answer(buyer)

    await buyer.buy()

    await buyer.sees("reserved")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert await shop.taken(product_id) == 1
    assert "key" not in await buyer.remembered()


async def test_a_crash_in_the_middle_of_a_purchase_is_one_order(shop):
    product_id = await shop.sale(hold=3600)
    buyer = await shop.visit(product_id)
    keys = await _lose_the_answer(buyer, times=100)
    await buyer.buy()
    await expect(buyer.page.locator("#notice")).to_have_text("No answer came. Try again.")
    await buyer.sees("pending")
    assert (await buyer.remembered())["key"] == keys[0]

    again = await buyer.crash()

    await again.sees("reserved")
    assert await shop.taken(product_id) == 1


async def test_a_unit_that_returns_can_be_bought(shop):
    product_id = await shop.sale(1, hold=3600)
    order_id = await shop.buy(product_id)
    buyer = await shop.visit(product_id)
    await buyer.sees("sold_out")

    await shop.cancel(order_id)

    await buyer.buy()
    await buyer.sees("reserved")


async def test_a_unit_that_returns_reaches_who_is_inside(shop):
    product_id = await shop.sale(1, room=ROOM, hold=3600)
    buyer = await shop.visit(product_id)
    await buyer.join()
    await buyer.sees("turn")
    await shop.services.redis.set(f"{{{product_id}}}:stock", 0)
    await buyer.sees("sold_out")

    await shop.services.redis.set(f"{{{product_id}}}:stock", 1)

    await buyer.buy()
    await buyer.sees("reserved")


async def test_who_waits_is_called_when_somebody_leaves(shop):
    product_id, ticket = await shop.occupied()
    buyer = await shop.visit(product_id)
    await buyer.join()
    await buyer.sees("waiting")
    await expect(buyer.page.locator("#figure")).to_have_text("0")

    await shop.leave(product_id, ticket)

    await buyer.sees("turn")
    assert set(await buyer.seen()) <= {"loading", "waiting", "called", "turn"}


async def test_a_turn_waits_for_its_tab_and_for_room(shop):
    buyer = await called_in_another_tab(shop)
    await buyer.sees("called")
    ticket = await shop.join(buyer.product_id, "u-00299")
    await shop.enter(buyer.product_id, ticket)
    await buyer.page.evaluate("comeBack()")
    async with buyer.page.expect_response("**/admission") as asked:
        pass
    assert (await asked.value).status == 202
    await buyer.sees("called")

    await shop.leave(buyer.product_id, ticket)

    await buyer.sees("turn")


async def test_who_leaves_the_room_can_join_again(shop):
    buyer = await inside(shop)
    await buyer.sees("turn")

    await buyer.press("Leave the queue")

    await buyer.sees("lapsed")
    await buyer.press("Join again")
    await buyer.sees("turn")
    assert (await buyer.remembered())["arrival"] == 1


async def test_an_order_that_was_not_paid_leads_back_to_the_queue(shop):
    product_id = await shop.sale(1, room=ROOM, hold=1)
    buyer = await shop.visit(product_id)
    await buyer.join()
    await buyer.buy()
    await buyer.sees("expired")

    await buyer.press("Join again")

    await buyer.buy()
    await buyer.sees("pending", "reserved", "expired")


async def test_a_paused_sale_goes_on_by_itself(shop):
    buyer = await in_the_queue(shop)
    place = await buyer.page.locator("#place").text_content()
    await sales.pause_sale(shop.services, buyer.product_id)
    await buyer.sees("paused")

    await sales.resume_sale(shop.services, buyer.product_id)

    await buyer.sees("waiting")
    await expect(buyer.page.locator("#place")).to_have_text(place)


async def test_the_page_leads_to_the_provider_and_shows_the_receipt(shop):
    buyer = await held(shop)
    await buyer.sees("reserved")

    await buyer.press("Pay now")
    await buyer.page.wait_for_url("**/pay?*")
    await buyer.page.get_by_role("button", name="Pay", exact=True).click()
    await buyer.page.get_by_role("link", name="Back to the shop").click()

    await buyer.sees("paid")
    assert (await buyer.remembered())["order"] in unquote(buyer.page.url)


async def test_all_units_are_shown_where_they_are(shop):
    buyer = await too_late(shop)

    parts = buyer.page.locator("#parts")

    await expect(parts.locator("dt")).to_have_text(
        ["for sale", "being ordered", "held until paid", "sold"]
    )
    await expect(parts.locator("dd")).to_have_text(["0", "0", "1", "0"])
