"""V1, naive: read the stock, check it, write it back, insert the order. Broken on purpose.

Between the read and the write another buyer reads the same stock; both are sold the same unit and
one of the two writes is forgotten (the read-modify-write race). The shop oversells.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold, Purchase, Refusal
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Purchase | NotSold:
    """Sell `order` the naive way; each step is a transaction of its own."""
    if refusal := await services.stock.enter(order):
        return refusal
    read = await services.products.get_for_buyer(order.product_id, order.user_id)
    if read is None:
        return Refusal.NO_SUCH_PRODUCT
    product, buyer_exists = read
    if product.stock < order.quantity:
        return Refusal.SOLD_OUT
    # Before the stock is written: the insert would refuse the buyer too, but the unit were gone.
    if not buyer_exists:
        return Refusal.NO_SUCH_USER
    # THE RACE: whoever reads the stock from here on sees a unit that is as good as sold.
    updated = await services.products.overwrite_stock(
        order.product_id, product.stock - order.quantity
    )
    placed = await services.orders.insert_without_taking_units(order)
    return placed if isinstance(placed, Refusal) else Purchase(updated, placed)
