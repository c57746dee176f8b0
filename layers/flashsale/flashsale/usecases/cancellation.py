"""Use case of admins: cancel an order, even one that is CONFIRMED, and give its units back, once.

PostgreSQL first, where the row is CANCELLED and its stock grows in one transaction; then Redis. So
the guard of PostgreSQL is never behind Redis, which puts the units on sale again. Whoever dies in
between repeats it: each script gives the units of an order back once.
"""

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import ON_POSTGRES, V5, Declined, OrderRow, split_order_id
from flashsale.postgres_store.audit import Change
from flashsale.postgres_store.database import Connection
from flashsale.services import Services


async def cancellation(services: Services, order_id: str, reason: str) -> Change:
    """What cancelling this order changes in PostgreSQL.

    An order of V4 that is still in the queue is no order yet: only its message knows of it.
    """
    # The ledger first: an order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.get(*split_order_id(order_id))

    async def change(connection: Connection) -> Declined | None:
        status = await services.orders.cancel_even_if_confirmed(connection, order_id, claim, reason)
        return None if status else Declined.NO_SUCH_ORDER

    return change


async def give_back(services: Services, order_id: str) -> None:
    """Bring Redis in line with an order that PostgreSQL has as CANCELLED. Safe to repeat."""
    row = await services.orders.get(order_id)
    if row is None or row.generation in ON_POSTGRES:  # they took nothing from Redis
        return
    if row.returned:
        await _give_confirmed_back(services, row)
    # Never confirmed, so its claim is in the ledger, or was released. Of V4 the rollback function
    # has the message, and gives back.
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
