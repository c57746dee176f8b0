"""Take the pictures of the page for docs/pictures/shop: `make shop-pictures`.

They are taken of real sales, in the ways of the tests. This is no test, so pytest does not find it
by itself.
"""

import itertools
from dataclasses import dataclass

from flashsale_local.paths import ROOT
from tests.shop.shop import Shop
from tests.shop.ways import WAYS

FOLDER = ROOT / "docs" / "pictures" / "shop"
PHONE = {"width": 390, "height": 844}
RENAME = "UPDATE products SET name = %(name)s, price = %(price)s WHERE id = %(id)s"
# One way to each state.
PICTURES = (
    "before_the_queue", "joined_early", "in_the_queue", "called_in_another_tab", "inside",
    "being_ordered", "held_behind_a_room", "bought", "too_late", "not_paid_behind_a_room",
    "cancelled", "time_is_over", "paused_in_the_queue", "over", "no_sale", "lost_order",
)  # fmt: skip
# Names are unique, so each sale has its own.
THINGS = [f"{name}, {edition}" for edition in ("first edition", "in sand", "in black", "signed")
          for name in ("Aero One", "Field lamp", "Record no. 7", "Stage pass", "Trail jacket",
                       "Brass kettle", "Print 12", "Desk radio")]  # fmt: skip
PRICES = (189, 320, 38, 95, 240, 74, 60, 149)


@dataclass
class RealShop(Shop):
    """A shop whose products have names and prices."""

    things = zip(THINGS, itertools.cycle(PRICES), strict=False)

    async def product(self, stock):
        product_id = await super().product(stock)
        name, price = next(self.things)
        async with self.services.database.transaction() as connection:
            await connection.execute(RENAME, {"id": product_id, "name": name, "price": price})
        return product_id

    async def profile(self, product_id, user, script="", **options):
        look = {"viewport": PHONE, "reduced_motion": "reduce"}
        return await super().profile(product_id, user, script, **look, **options)


async def test_record_pictures(services, chromium, http, edge):
    FOLDER.mkdir(exist_ok=True)
    shop = RealShop(services, chromium, http, edge.url)
    for name in PICTURES:
        way = WAYS[name]
        buyer = await way.go(shop)
        await buyer.sees(way.state)
        await (
            buyer.page.locator("#product")
            .get_by_text("€")
            .or_(buyer.page.locator('[data-state="missing"]'))
            .first.wait_for()
        )
        await buyer.page.screenshot(path=FOLDER / f"{way.state.replace('_', '-')}.png")
    await shop.close()
