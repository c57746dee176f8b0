"""Payments of RESERVED orders, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from flashsale.domain.messages import QueuedOrder

# The provider's id of a payment. It also goes into paths of URLs.
PAYMENT_ID = r"^[A-Za-z0-9_-]{1,128}$"

# ISO 4217.
CURRENCY = r"^[A-Z]{3}$"

# Amounts are smaller than this. The columns of amounts hold no more.
LARGEST_AMOUNT = 10**12


class Decision(StrEnum):
    """What becomes of a payment."""

    WAITING = "WAITING"  # its order is not written yet
    APPLIED = "APPLIED"  # its order is CONFIRMED by it
    REFUND_DUE = "REFUND_DUE"
    REFUNDED = "REFUNDED"


class RefundReason(StrEnum):
    """Why a payment is to be refunded."""

    LATE = "late"
    CANCELLED = "cancelled"
    PAID_TWICE = "paid twice"
    WRONG_AMOUNT = "wrong amount"
    NO_ORDER = "no such order"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that succeeded at the provider.

    Attributes:
        id: the provider's.
        order_id: what was paid, as the payment itself says.

    """

    id: str
    order_id: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A row of `payments`.

    Attributes:
        why: why it is or was to be refunded; None unless it was.
        decided_at: when the decision was written; None while the payment is WAITING.

    """

    id: str
    order_id: str
    amount: Decimal
    currency: str
    decision: Decision
    why: str | None
    received_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A payment with its decision.

    Attributes:
        order: the order that the payment confirmed; None unless the decision is APPLIED.
        first: False if the decision was made before.

    """

    payment_id: str
    decision: Decision
    why: str | None = None
    order: QueuedOrder | None = None
    first: bool = True
