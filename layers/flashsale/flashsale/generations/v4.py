"""V4, Redis and a queue: an atomic script claims the unit, SQS transports the order to PostgreSQL.

The buyer waits for Redis and SQS only. An order that cannot be written is retried, and finally
rolled back (`place_orders`, `compensate`).
"""

import asyncio

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import NotSold
from flashsale.domain.purchases import Accepted
from flashsale.errors import MessageRefused, PushRefused
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Accepted | NotSold:
    """Claim the units, then push the order.

    Raises:
        StockUnavailable: Redis is unavailable.
        PushRefused: SQS certainly does not have the order. Its units were given back.
        PushUncertain: SQS may have the order. Its units stay claimed.
        MessageRefused: as PushRefused, because of a bug.

    """
    # Shielded: if the deadline of the request cancels this, the purchase goes on without its buyer.
    # Otherwise a unit that Redis took at that moment would be lost.
    return await asyncio.shield(_claim_and_push(services, order))


async def _claim_and_push(services: Services, order: QueuedOrder) -> Accepted | NotSold:
    left = await services.stock.decrement(order.product_id, order.quantity, order.generation)
    if not isinstance(left, int):
        return left
    # THE GAP: a process that dies between the decrement and the push leaves a claim without a
    # record, and a push with an unknown outcome leaves a claim that must not be released. V5 closes
    # the gap: it records the claim in the same atomic step as the decrement.
    try:
        await services.order_queue.push(order)
    except (PushRefused, MessageRefused):
        await services.stock.release(order.product_id, [order])
        raise
    return Accepted(order.id)
