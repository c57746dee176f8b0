"""Use case of admins: cancel an order, even one that is CONFIRMED, and give its units back, once.

PostgreSQL comes first: one transaction cancels the row and increases the stock. Redis follows, and
puts the units on sale again. So PostgreSQL always has the units that Redis sells. If the process
dies in between, a retry repeats the step in Redis. Each script gives the units of an order back
once.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import ON_POSTGRES, V5, Declined, OrderRow, split_order_id
from flashsale.postgres_store.audit import Change
from flashsale.postgres_store.database import Connection
from flashsale.services import Services


async def cancellation(services: Services, order_id: str, reason: str) -> Change:
    """Return the change in PostgreSQL that cancels this order.

    A V4 order that is still in the queue cannot be cancelled: it exists only as a message.
    """
    # The ledger comes first. An order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.get(*split_order_id(order_id))

    async def change(connection: Connection) -> Declined | None:
        status = await services.orders.cancel_even_if_confirmed(connection, order_id, claim, reason)
        return None if status else Declined.NO_SUCH_ORDER

    return change


async def give_back(services: Services, order_id: str) -> None:
    """Give the units of a CANCELLED order back to Redis, once. Idempotent."""
    row = await services.orders.get(order_id)
    if row is None or row.generation in ON_POSTGRES:  # V1 and V2 took nothing from Redis
        return
    if row.returned:
        await _give_confirmed_back(services, row)
    # The order was never CONFIRMED, so its claim is in the ledger, or was released. The rollback
    # function gives the units of V4 orders back, because it has their messages.
    elif row.generation == V5 and (claim := await services.ledger.get(*split_order_id(order_id))):
        await services.ledger.release(row.product_id, [claim])


async def _give_confirmed_back(services: Services, row: OrderRow) -> None:
    assert row.user_id, "a confirmed order has a user"
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
