"""V1, naive: read the stock, check it, write it back, insert the order. Broken on purpose.

Between the read and the write, another buyer reads the same stock. Both get the same unit, and one
of the two writes is lost (the read-modify-write race). The shop oversells.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold, Refusal
from flashsale.domain.purchases import Purchase
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Purchase | NotSold:
    """Sell the naive way. Each step is a transaction of its own."""
    if refusal := await services.stock.enter(order):
        return refusal
    read = await services.products.get_for_buyer(order.product_id, order.user_id)
    if read is None:
        return Refusal.NO_SUCH_PRODUCT
    product, buyer_exists = read
    if product.stock < order.quantity:
        return Refusal.SOLD_OUT
    # Check it before the stock is written: when the insert rejects the buyer, the unit is gone.
    if not buyer_exists:
        return Refusal.NO_SUCH_USER
    # THE RACE: another request that reads the stock now sees a unit that is already sold.
    updated = await services.products.overwrite_stock(
        order.product_id, product.stock - order.quantity
    )
    placed = await services.orders.insert_without_taking_units(order)
    return placed if isinstance(placed, Refusal) else Purchase(updated, placed)
