"""V3, Redis first: an atomic script claims the unit, then PostgreSQL is written while buyers wait.

Sold-out buyers never reach PostgreSQL. But the two stores are not one transaction: a write that
fails after the decrement loses the unit. That is kept visible here: `flashsale verify` reports it.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold, Purchase
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Purchase | NotSold:
    """Take the units in Redis, then write the order to PostgreSQL."""
    left = await services.stock.decrement(order.product_id, order.quantity, order.generation)
    if not isinstance(left, int):
        return left
    # THE LOSS: if this raises, or the process dies here, nobody gives the unit back.
    return await services.orders.take_units_and_insert(order)
