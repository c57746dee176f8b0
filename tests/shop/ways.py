"""How a buyer gets to each state of the page, by their own clicks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from flashsale.usecases import sales
from tests.shop.shop import ROOM, Buyer, Shop, in_an_hour

# The page is in another tab than the one that the buyer looks at, until `comeBack()`.
HIDDEN = """
let away = true;
Object.defineProperty(document, 'hidden', { get: () => away });
window.comeBack = () => { away = false; document.dispatchEvent(new Event('visibilitychange')); };
"""


@dataclass(frozen=True)
class Way:
    """A way to a state.

    Attributes:
        buttons: those that the page offers there, besides the footer's.

    """

    state: str
    buttons: tuple[str, ...]
    go: Callable[[Shop], Awaitable[Buyer]]


WAYS: dict[str, Way] = {}


def way(state, *buttons):
    def add(go):
        WAYS[go.__name__] = Way(state, buttons, go)
        return go

    return add


@way("missing")
async def no_sale(shop):
    return await shop.visit("no-such-product")


@way("closed")
async def before_the_queue(shop):
    opens = in_an_hour()
    room = replace(ROOM, from_at=opens)
    return await shop.visit(await shop.sale(room=room, starts_at=in_an_hour().replace(year=2098)))


@way("closed")
async def before_a_sale_without_a_room(shop):
    return await shop.visit(await shop.sale(starts_at=in_an_hour()))


@way("prequeue", "Join the queue")
async def before_joining(shop):
    buyer = await shop.visit(await shop.sale(room=ROOM, starts_at=in_an_hour()))
    await buyer.sees("prequeue")
    await buyer.sign_in()
    return buyer


@way("prequeue")
async def joined_early(shop):
    buyer = await before_joining(shop)
    await buyer.press("Join the queue")
    await buyer.page.get_by_role("heading", name="You are in").wait_for()
    return buyer


@way("waiting", "Join the queue")
async def late(shop):
    product_id, _ = await shop.occupied()
    buyer = await shop.visit(product_id)
    await buyer.sees("waiting")
    await buyer.sign_in()
    return buyer


@way("waiting")
async def in_the_queue(shop):
    buyer = await late(shop)
    await buyer.press("Join the queue")
    await buyer.page.locator("#place").wait_for()
    return buyer


@way("called")
async def called_in_another_tab(shop):
    buyer = await shop.visit(await shop.sale(room=ROOM), script=HIDDEN)
    await buyer.join()
    return buyer


@way("turn", "Buy", "Leave the queue")
async def inside(shop):
    buyer = await shop.visit(await shop.sale(room=ROOM))
    await buyer.join()
    return buyer


@way("turn", "Buy")
async def without_a_room(shop):
    buyer = await shop.visit(await shop.sale())
    await buyer.sees("turn")
    await buyer.sign_in()
    return buyer


@way("pending")
async def being_ordered(shop):
    product_id = await shop.sale()
    await shop.stop_relaying(product_id)
    buyer = await shop.visit(product_id)
    await buyer.buy()
    await buyer.page.locator("#order").wait_for()
    return buyer


@way("reserved", "Pay now", "Cancel the order")
async def held(shop, seconds=3600):
    buyer = await shop.visit(await shop.sale(hold=seconds))
    await buyer.buy()
    return buyer


@way("reserved", "Pay now", "Cancel the order")
async def held_behind_a_room(shop, seconds=3600):
    buyer = await shop.visit(await shop.sale(room=ROOM, hold=seconds))
    await buyer.join()
    await buyer.buy()
    return buyer


@way("paid", "Buy another one")
async def bought(shop):
    buyer = await shop.visit(await shop.sale())
    await buyer.buy()
    return buyer


@way("sold_out")
async def too_late(shop):
    product_id = await shop.sale(1, hold=3600)
    await shop.buy(product_id)
    buyer = await shop.visit(product_id)
    await buyer.sees("sold_out")
    return buyer


@way("sold_out", "Join the queue")
async def too_late_for_the_room(shop):
    product_id = await shop.sale(0, room=ROOM)
    buyer = await shop.visit(product_id)
    await buyer.sees("sold_out")
    await buyer.sign_in()
    return buyer


@way("expired", "Try again")
async def not_paid(shop):
    return await held(shop, seconds=1)


@way("expired", "Join again")
async def not_paid_behind_a_room(shop):
    return await held_behind_a_room(shop, seconds=1)


@way("cancelled", "Try again")
async def cancelled(shop):
    buyer = await held(shop)
    await buyer.sees("reserved")
    await buyer.press("Cancel the order")
    return buyer


@way("lapsed", "Join again")
async def time_is_over(shop):
    room = replace(ROOM, admission_seconds=2)
    buyer = await shop.visit(await shop.sale(room=room))
    await buyer.join()
    await buyer.sees("turn", "lapsed")
    return buyer


@way("paused")
async def paused_without_a_room(shop):
    product_id = await shop.sale()
    await sales.pause_sale(shop.services, product_id)
    return await shop.visit(product_id)


@way("paused")
async def paused_in_the_queue(shop):
    buyer = await in_the_queue(shop)
    await sales.pause_sale(shop.services, buyer.product_id)
    return buyer


@way("ended")
async def over(shop):
    product_id = await shop.sale(room=ROOM)
    await sales.end_sale(shop.services, product_id)
    return await shop.visit(product_id)


@way("unknown", "Try again")
async def lost_order(shop):
    product_id = await shop.sale()
    buyer = await shop.visit(product_id, fragment=f"#order={product_id}:1700000000000-0")
    await buyer.sees("turn")
    await buyer.sign_in()
    return buyer
