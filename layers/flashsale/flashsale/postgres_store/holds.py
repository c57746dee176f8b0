"""The ends of payment holds in PostgreSQL, whose clock decides."""

from collections.abc import Sequence

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus, Written
from flashsale.postgres_store.database import Database

# Orders that one transaction expires. It locks their product meanwhile, and Redis serves no buyer
# while their units go back to its stock.
ORDERS_AT_A_TIME = 100


class Holds:
    """Expires RESERVED orders, and tells what became of them.

    Args:
        grace: seconds after the end of a hold in which it does not expire yet.

    """

    def __init__(self, database: Database, grace: int) -> None:
        self._database = database
        self._grace = grace

    async def list_due_products(self, product_ids: Sequence[str] | None) -> list[str]:
        """Return those of these products, or of all, that have holds to expire."""
        ids = None if product_ids is None else list(product_ids)
        rows = await self._database.fetch_all("select_due_products", ids=ids, grace=self._grace)
        return [row["id"] for row in rows]

    async def expire(self, product_id: str) -> list[QueuedOrder]:
        """Expire the oldest due orders of a product; return them, or [] if none is left.

        Their units are back in PostgreSQL's stock then.
        """
        rows = await self._database.fetch_all(
            "expire_orders", product_id=product_id, grace=self._grace, count=ORDERS_AT_A_TIME
        )
        return [QueuedOrder(**row) for row in rows]

    async def what_became_of(self, order_ids: Sequence[str]) -> list[tuple[QueuedOrder, Written]]:
        """Return these orders with their status. Orders without a row are left out."""
        rows = await self._database.fetch_all("select_holds", ids=list(order_ids))
        found = []
        for row in rows:
            written = Written(OrderStatus(row.pop("status")), row.pop("held_until"))
            found.append((QueuedOrder(**row), written))
        return found
