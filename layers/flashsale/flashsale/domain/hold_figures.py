"""What payment holds and payments still wait for, in figures for alerts and dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass

from flashsale.domain.payments import Decision


@dataclass(frozen=True, slots=True)
class OpenPayments:
    """Payments with one decision and one reason that somebody must still act on.

    Attributes:
        decision: WAITING or REFUND_DUE.
        why: "" for those that wait.
        count: payments.
        oldest: seconds since the oldest was decided, or was received if it waits.

    """

    decision: Decision
    why: str
    count: int
    oldest: float


@dataclass(frozen=True, slots=True)
class HoldFigures:
    """What holds and payments still wait for.

    Attributes:
        overdue: seconds since the oldest RESERVED order should have expired; 0 if none should.
        payments: the open payments, by decision and reason.
        without_order: holds in Redis that should have ended and have no row in PostgreSQL.

    """

    overdue: float
    payments: Sequence[OpenPayments]
    without_order: int

    @property
    def refund_due(self) -> float:
        """Seconds for which the oldest refund has been due; 0 if none is due."""
        due = [row.oldest for row in self.payments if row.decision is Decision.REFUND_DUE]
        return max(due, default=0.0)
