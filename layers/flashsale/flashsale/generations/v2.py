"""V2, atomic SQL: the database checks and takes the unit in one statement.

It is correct. Its price: all buyers of a product wait for one row lock, each with a connection.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold
from flashsale.domain.purchases import Purchase
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Purchase | NotSold:
    """Take the units and write the order in one transaction."""
    if refusal := await services.stock.enter(order):
        return refusal
    return await services.orders.take_units_and_insert(order)
