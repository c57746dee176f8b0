"""The ends of payment holds in PostgreSQL, whose clock decides."""

from collections.abc import Sequence

from flashsale.domain.hold_figures import OpenPayments
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus, Written
from flashsale.domain.payments import Decision
from flashsale.postgres_store.database import Database

# Orders that one transaction expires. It locks their product meanwhile, and Redis serves no buyer
# while their units go back to its stock.
ORDERS_AT_A_TIME = 100


class Holds:
    """Expires RESERVED orders, and tells what became of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_due_products(self, product_ids: Sequence[str] | None, after: int) -> list[str]:
        """Return those of these products, or of all, that have holds to expire.

        Args:
            after: seconds from the end of a hold until it expires.

        """
        ids = None if product_ids is None else list(product_ids)
        rows = await self._database.fetch_all("select_due_products", ids=ids, grace=after)
        return [row["id"] for row in rows]

    async def expire(
        self, product_id: str, after: int, patience: int, in_progress: Sequence[str] = ()
    ) -> list[QueuedOrder]:
        """Expire the oldest due orders of a product; return them, or [] if none is left.

        Their units are back in PostgreSQL's stock then.

        Args:
            after: seconds from the end of a hold until it expires.
            patience: the same for a hold whose buyer began a payment that is not cancelled.
            in_progress: ids of payments that no hold waits for.

        Raises:
            RowLocked: another transaction keeps the product for long. The other products may be
                free.

        """
        rows = await self._database.fetch_all(
            "expire_orders",
            product_id=product_id,
            grace=after,
            patience=patience,
            in_progress=list(in_progress),
            count=ORDERS_AT_A_TIME,
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

    async def count_missing(self, order_ids: Sequence[str]) -> int:
        """Return how many of these orders have no row."""
        row = await self._database.fetch_one("select_missing_count", ids=list(order_ids))
        assert row, "an aggregate always has a row"
        return int(row["count"])

    async def read_overdue(self, after: int) -> float:
        """Return for how many seconds the oldest order has been due to expire; 0 if none is.

        Args:
            after: seconds from the end of a hold until it expires.

        """
        row = await self._database.fetch_one("select_overdue", grace=after)
        assert row, "an aggregate always has a row"
        return float(row["seconds"])

    async def count_open_payments(self) -> list[OpenPayments]:
        """Count the payments that wait or are to be refunded, by decision and reason."""
        rows = await self._database.fetch_all("select_open_payments")
        return [OpenPayments(**{**row, "decision": Decision(row["decision"])}) for row in rows]
