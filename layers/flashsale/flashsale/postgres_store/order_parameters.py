"""Queued orders as parameters of statements, and rows as statuses."""

from collections.abc import Mapping, Sequence
from typing import Any

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus, Written
from flashsale.errors import OrderRejected


def by_id(orders: Sequence[QueuedOrder]) -> dict[str, QueuedOrder]:
    """Return the orders by id. A message may come twice in one batch.

    Raises:
        OrderRejected: two different orders have the same id, so a status could mean either.

    """
    unique = {order.id: order for order in orders}
    for order in orders:
        other = unique[order.id]
        if order is not other and columns_of(order) != columns_of(other):
            raise OrderRejected(f"two orders have the id {order.id}")
    return unique


def written_by_id(rows: Sequence[Mapping[str, Any]]) -> dict[str, Written]:
    """Return rows with id, status and held_until by the ids of their orders."""
    return {row["id"]: Written(OrderStatus(row["status"]), row["held_until"]) for row in rows}


def columns_of(order: QueuedOrder) -> dict[str, str | int]:
    """Return the parameters of `insert_order`."""
    return order.model_dump(exclude={"correlation_id"})


def users_of(orders: Sequence[QueuedOrder]) -> list[str]:
    """Return the parameter of `insert_users`."""
    return [order.user_id for order in orders]


def arrays_of(orders: Sequence[QueuedOrder]) -> dict[str, list[Any]]:
    """Return the parameters of the statements that take many orders."""
    return {
        "ids": [order.id for order in orders],
        "user_ids": users_of(orders),
        "product_ids": [order.product_id for order in orders],
        "quantities": [order.quantity for order in orders],
        "generations": [order.generation for order in orders],
    }
