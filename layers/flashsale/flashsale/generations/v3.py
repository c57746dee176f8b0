"""V3, Redis first: a script takes the unit, then the order is written while the buyer waits.

After the product is sold out, buyers never reach PostgreSQL. But the two stores share no
transaction: a write that fails after the decrement loses the unit. V3 keeps this bug on purpose,
and `flashsale verify` reports it.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold
from flashsale.domain.purchases import Purchase
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Purchase | NotSold:
    """Take the units in Redis, then write the order to PostgreSQL."""
    left = await services.stock.decrement(order.product_id, order.quantity, order.generation)
    if not isinstance(left, int):
        return left
    # THE LOSS: if this raises, or the process dies here, the unit is never given back.
    return await services.orders.take_units_and_insert(order)
