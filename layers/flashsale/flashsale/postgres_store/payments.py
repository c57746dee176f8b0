"""Payments in PostgreSQL. Its compare-and-set decides between a payment and the end of a hold."""

from collections.abc import Mapping
from typing import Any

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus
from flashsale.domain.payments import Decided, Decision, Payment, PaymentRow, RefundReason
from flashsale.postgres_store.database import Connection, Database, sql

# Seconds for which a payment waits for its order. The claim may have died with Redis.
PATIENCE = 3600
# Payments that one sweep decides on.
AT_A_TIME = 500
# The parameters that select every payment.
_ANY = {"id": None, "order_id": None, "decision": None, "limit": None}

_WHY = {
    OrderStatus.EXPIRED: RefundReason.LATE,
    OrderStatus.CANCELLED: RefundReason.CANCELLED,
    OrderStatus.CONFIRMED: RefundReason.PAID_TWICE,
    OrderStatus.RESERVED: RefundReason.WRONG_AMOUNT,
}


class Payments:
    """Writes payments, each once, and decides what becomes of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, payment: Payment) -> Decided:
        """Write a payment, and decide what becomes of it, in one transaction. Idempotent."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(sql("insert_payment"), _columns(payment))
            if await cursor.fetchone():
                return await self._decide(connection, payment)
            # Another delivery of it has been committed: the insert has waited for that.
            cursor = await connection.execute(sql("select_payment"), {"id": payment.id})
            known = await cursor.fetchone()
        assert known, "payments are never deleted"
        order = _order({**known, "id": known["order_id"]}) if known["product_id"] else None
        decision = Decision(known["decision"])
        return Decided(payment.id, decision, known["why"], order, first=False)

    async def decide_waiting(self, patience: float = PATIENCE) -> list[Decided]:
        """Decide on payments that waited for their order, oldest first; return the decided ones.

        Args:
            patience: seconds after which a payment without an order is to be refunded.

        """
        rows = await self._database.fetch_all(
            "select_waiting_payments", patience=patience, count=AT_A_TIME
        )
        decided = []
        for row in rows:
            async with self._database.transaction() as connection:
                cursor = await connection.execute(sql("lock_waiting_payment"), {"id": row["id"]})
                if await cursor.fetchone():
                    decided.append(await self._decide(connection, Payment(**row), waited=True))
        return decided

    async def get(self, payment_id: str) -> PaymentRow | None:
        """Return the row of a payment, or None if there is no such payment."""
        rows = await self._database.fetch_all("select_payments", **_ANY | {"id": payment_id})
        return _payment_row(rows[0]) if rows else None

    async def list_of_order(self, order_id: str) -> list[PaymentRow]:
        """Return the payments of an order, newest first."""
        rows = await self._database.fetch_all("select_payments", **_ANY | {"order_id": order_id})
        return [_payment_row(row) for row in rows]

    async def list_latest(self, decision: Decision | None, limit: int) -> list[PaymentRow]:
        """Return the newest payments with this decision, or with any, newest first."""
        wanted = {"decision": decision, "limit": limit}
        rows = await self._database.fetch_all("select_payments", **_ANY | wanted)
        return [_payment_row(row) for row in rows]

    async def count_taken(self, seconds: float, at_most: int) -> int:
        """Count the payments that were written within so many seconds, and stop at `at_most`."""
        row = await self._database.fetch_one("select_taken_count", seconds=seconds, at_most=at_most)
        assert row, "an aggregate always has a row"
        return int(row["count"])

    @staticmethod
    async def get_decision(connection: Connection, payment_id: str) -> Decision | None:
        """Return the decision on a payment, as a part of this transaction; None if unknown."""
        cursor = await connection.execute(sql("select_payment"), {"id": payment_id})
        row = await cursor.fetchone()
        return Decision(row["decision"]) if row else None

    async def list_refunds_due(self, count: int) -> list[str]:
        """Return ids of payments that the provider knows and that are to be refunded."""
        rows = await self._database.fetch_all("select_refunds_due", count=count)
        return [row["id"] for row in rows]

    @staticmethod
    async def mark_refunded(connection: Connection, payment_id: str) -> bool:
        """Record that a payment was refunded, as a part of this transaction.

        Return False, without an effect, unless it was to be refunded.
        """
        cursor = await connection.execute(sql("mark_refunded"), {"id": payment_id})
        return await cursor.fetchone() is not None

    @staticmethod
    async def _decide(connection: Connection, payment: Payment, *, waited: bool = False) -> Decided:
        cursor = await connection.execute(sql("confirm_paid_order"), _columns(payment))
        decided = Decided(payment.id, Decision.WAITING)
        if row := await cursor.fetchone():
            decided = Decided(payment.id, Decision.APPLIED, order=_order(row))
        else:
            cursor = await connection.execute(sql("select_order"), {"id": payment.order_id})
            found = await cursor.fetchone()
            why = _WHY[OrderStatus(found["status"])] if found else RefundReason.NO_ORDER
            if found or waited:
                decided = Decided(payment.id, Decision.REFUND_DUE, why)
        if decided.decision is not Decision.WAITING:
            written = {"id": payment.id, "decision": decided.decision, "why": decided.why}
            await connection.execute(sql("decide_payment"), written)
        return decided


def _columns(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "order_id": payment.order_id,
        "amount": payment.amount,
        "currency": payment.currency,
    }


def _payment_row(row: Mapping[str, Any]) -> PaymentRow:
    return PaymentRow(**{**row, "decision": Decision(row["decision"])})


def _order(row: Mapping[str, Any]) -> QueuedOrder:
    return QueuedOrder(**{name: row[name] for name in QueuedOrder.model_fields if name in row})
