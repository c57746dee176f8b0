"""A buyer checks the draw in the page: the same as domain/draw.py, and told if it was changed."""

import re

from playwright.async_api import expect

from flashsale.domain.draw import place_of
from flashsale.domain.rooms import Mode, RoomTerms
from tests.helpers.support import USERS
from tests.integration.roomed_sale import RoomedSale

DRAWN = RoomTerms(Mode.DRAW, max_inside=1, max_rate=1)


async def _drawn(shop):
    """Return a buyer who has joined among others, after the draw."""
    product_id = await shop.product(10)
    sale = RoomedSale(shop.services, product_id, DRAWN)
    await sale.open()
    for user in USERS[:20]:
        await sale.join(user)
    buyer = await shop.visit(product_id, user=USERS[250])
    await buyer.join()
    for user in USERS[20:40]:
        await sale.join(user)
    await sale.begin()
    await buyer.sees("waiting", "called", "turn")
    return buyer, sale


async def _check(buyer):
    await buyer.page.get_by_text("Was my place drawn fairly?").click()
    await buyer.press("Check the draw")
    return buyer.page.locator("#checked li")


async def test_a_buyer_can_check_their_place(shop):
    buyer, sale = await _drawn(shop)
    queue = await sale.look()
    place = place_of(20, queue.drawn, bytes.fromhex(queue.seed))

    lines = await _check(buyer)

    assert (await buyer.remembered())["arrival"] == 20
    await expect(lines.first).not_to_contain_text("NOT")
    await expect(lines.last).to_contain_text("number 21 of 41")
    await expect(lines.last).to_contain_text(re.compile(rf"\b{place + 1}\."))


async def test_a_changed_seed_is_told(shop):
    buyer, _ = await _drawn(shop)
    name = f"flashsale:{buyer.product_id}:{buyer.user}"
    await buyer.page.evaluate(
        """name => {
          const mine = { ...JSON.parse(localStorage.getItem(name)), commitment: '00'.repeat(32) };
          localStorage.setItem(name, JSON.stringify(mine));
        }""",
        name,
    )
    await buyer.page.reload()
    await buyer.sees("waiting", "called", "turn")

    lines = await _check(buyer)

    await expect(lines.first).to_contain_text("NOT")
