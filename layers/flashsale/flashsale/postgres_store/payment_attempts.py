"""The payments that buyers began at the provider, in the rows of their orders."""

from collections.abc import Sequence

from flashsale.domain.model import OrderStatus
from flashsale.domain.payment_attempts import Payable
from flashsale.postgres_store.database import Database


class PaymentAttempts:
    """Notes a payment when it begins, and forgets it when it can no longer be made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_payable(self, order_id: str) -> Payable | None:
        """Return what the buyer of an order must pay, or None if there is no such order."""
        row = await self._database.fetch_one("select_payable_order", id=order_id)
        return Payable(**{**row, "status": OrderStatus(row["status"])}) if row else None

    async def begin(self, order_id: str, payment_id: str) -> bool:
        """Note the payment of a RESERVED order. Return False if the order is not RESERVED."""
        row = await self._database.fetch_one("begin_attempt", id=order_id, attempt_id=payment_id)
        return row is not None

    async def list_open(
        self, product_ids: Sequence[str] | None, after: int, count: int
    ) -> list[str]:
        """Return ids of payments that are to be cancelled, because their hold has ended.

        Args:
            product_ids: None for all products.
            after: seconds from the end of a hold until it expires.

        """
        ids = None if product_ids is None else list(product_ids)
        rows = await self._database.fetch_all(
            "select_open_attempts", ids=ids, grace=after, count=count
        )
        return [row["attempt_id"] for row in rows]

    async def forget(self, payment_ids: Sequence[str]) -> None:
        """Forget payments that are cancelled at the provider, or applied."""
        if payment_ids:
            await self._database.run("end_attempts", attempt_ids=list(payment_ids))
