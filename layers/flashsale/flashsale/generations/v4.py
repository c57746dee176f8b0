"""V4, Redis and a queue: an atomic script claims the unit, SQS carries the order to PostgreSQL.

The buyer waits for Redis and SQS only. What PostgreSQL cannot take is tried again, and in the end
rolled back (`place_orders`, `compensate`).
"""

import asyncio

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import Accepted, NotSold
from flashsale.errors import MessageRefused, PushRefused
from flashsale.services import Services


async def buy(services: Services, order: QueuedOrder) -> Accepted | NotSold:
    """Claim the units, then push the order.

    Raises:
        StockUnavailable: Redis does not answer.
        PushRefused: SQS certainly has no such order; its units were given back.
        PushUncertain: SQS may have it; its units stay claimed.
        MessageRefused: as PushRefused, and by our mistake.

    """
    left = await services.stock.decrement(order.product_id, order.quantity, order.generation)
    if not isinstance(left, int):
        return left
    # THE GAP: a process that dies between the decrement and the push leaves a claim that nobody
    # knows of, and a push of unknown outcome leaves one that nobody may release. V5 closes it by
    # writing the claim down in the same atomic step as the decrement.
    try:
        await services.order_queue.push(order)
    except (PushRefused, MessageRefused):
        # Also where the request's time is over meanwhile: else these units would be nobody's.
        await asyncio.shield(services.stock.release(order.product_id, [order]))
        raise
    return Accepted(order.id)
