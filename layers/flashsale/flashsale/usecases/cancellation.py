"""Cancel an order, and give its units back, once: an admin any order, its buyer a RESERVED one.

PostgreSQL comes first: one transaction cancels the row and increases the stock. Redis follows, and
puts the units on sale again. So PostgreSQL always has the units that Redis sells. If the process
dies in between, a retry repeats the step in Redis. Each script gives the units of an order back
once.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import (
    ON_POSTGRES,
    V5,
    OrderRow,
    OrderStatus,
    split_order_id,
)
from flashsale.services import Services

# The reason of an order that its own buyer cancelled.
BUYERS_WISH = "cancelled by its buyer"


async def cancel_reserved(
    services: Services, order_id: str, user_id: str | None
) -> OrderRow | QueuedOrder | None:
    """Cancel a RESERVED order for its buyer, and put its units on sale again. Idempotent.

    If the process dies before Redis knows, a retry gives the units back, or the sweep does when the
    hold would have ended.

    Args:
        user_id: the buyer; None where the application trusts every client.

    Returns:
        The order as it is now. Its reason is `BUYERS_WISH` if its buyer cancelled it, now or
        before. While it is not written yet, its claim. None if there is no such order, or if it is
        another buyer's.

    """
    # The ledger comes first. An order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.get(*split_order_id(order_id))
    row = await services.orders.get(order_id)
    if claim and not (row and claim.is_row(row)):
        # If another order has the id, the units could belong to either.
        return claim if user_id in (None, claim.user_id) else None
    if row is None or user_id not in (None, row.user_id):
        return None
    if row.status is OrderStatus.RESERVED:
        await services.orders.cancel_if_reserved(order_id, BUYERS_WISH)
        row = await services.orders.get(order_id)
        assert row, "orders are never deleted"
    if row.status is OrderStatus.CANCELLED and row.reason == BUYERS_WISH:
        await _give_returned_back(services, row)
    return row


async def give_back(services: Services, order_id: str) -> None:
    """Give the units of a CANCELLED order back to Redis, once. Idempotent."""
    row = await services.orders.get(order_id)
    if row is None or row.generation in ON_POSTGRES:  # V1 and V2 took nothing from Redis
        return
    if row.returned:
        await _give_returned_back(services, row)
    # The order was never CONFIRMED, so its claim is in the ledger, or was released. The rollback
    # function gives the units of V4 orders back, because it has their messages.
    elif row.generation == V5 and (claim := await services.ledger.get(*split_order_id(order_id))):
        await services.ledger.release(row.product_id, [claim])


async def _give_returned_back(services: Services, row: OrderRow) -> None:
    assert row.user_id, "a CONFIRMED or RESERVED order has a user"
    order = QueuedOrder(
        id=row.id,
        product_id=row.product_id,
        user_id=row.user_id,
        quantity=row.quantity,
        generation=row.generation,
    )
    if row.generation == V5:
        await services.ledger.give_back(order)
    else:
        await services.stock.release(order.product_id, [order])
