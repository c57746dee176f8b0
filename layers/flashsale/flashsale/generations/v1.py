"""V1, naive: read the stock, check it, write it back, insert the order. Broken on purpose.

Between the read and the write another buyer reads the same stock; both are sold the same unit and
one of the two writes is forgotten (the read-modify-write race). The shop oversells.
"""

from flashsale.bootstrap import Services
from flashsale.messages import Order
from flashsale.model import NotSold, Purchase, Refusal


async def buy(services: Services, order: Order) -> Purchase | NotSold:
    """Sell `order` the naive way; each step is a transaction of its own."""
    if refusal := await services.stock.enter(order):
        return refusal
    product = await services.products.get(order.product_id)
    if product is None:
        return Refusal.NO_SUCH_PRODUCT
    if product.stock < order.quantity:
        return Refusal.SOLD_OUT
    # THE RACE: whoever reads the stock from here on sees a unit that is as good as sold.
    updated = await services.products.overwrite_stock(
        order.product_id, product.stock - order.quantity
    )
    placed = await services.orders.insert(order)
    return placed if isinstance(placed, Refusal) else Purchase(updated, placed)
