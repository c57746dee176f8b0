"""Payments that still need something: their order, or a refund."""

from collections.abc import Collection
from dataclasses import dataclass

from flashsale.domain.model import split_order_id
from flashsale.domain.payments import Decision
from flashsale.services import Services

# Most payments of one decision that are read.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Undecided:
    """How many payments wait for their order, and how many are to be refunded."""

    waiting: int = 0
    refund_due: int = 0

    @property
    def line(self) -> str:
        """One line for people, with what ends them; "" without any."""
        parts = []
        if self.waiting:
            parts.append(f"{_count(self.waiting)} WAITING for the order (an hour at most)")
        if self.refund_due:
            parts.append(f"{_count(self.refund_due)} REFUND_DUE (see `flashsale payments --due`)")
        return f"Payments: {', '.join(parts)}" if parts else ""


def _count(payments: int) -> str:
    return f"{payments:,} or more" if payments == MOST else f"{payments:,}"


async def undecided(services: Services, product_ids: Collection[str] = ()) -> Undecided:
    """Count these payments: of all products, or of these."""
    counts = []
    for decision in (Decision.WAITING, Decision.REFUND_DUE):
        rows = await services.payments.list_latest(decision, MOST)
        counts.append(
            sum(not product_ids or split_order_id(row.order_id)[0] in product_ids for row in rows)
        )
    return Undecided(*counts)
