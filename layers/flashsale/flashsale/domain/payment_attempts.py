"""Payments that buyers begin for their RESERVED orders."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from flashsale.domain.model import OrderStatus


@dataclass(frozen=True, slots=True)
class Payable:
    """What the buyer of an order must pay.

    Attributes:
        amount, currency, expires_at, seconds_left: None for an order without a hold. The seconds
            are those until its end, by PostgreSQL's clock.

    """

    id: str
    user_id: str | None
    status: OrderStatus
    amount: Decimal | None
    currency: str | None
    expires_at: datetime | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class PaymentBegun:
    """A payment that the buyer can make now.

    Attributes:
        client_secret: for the buyer's browser only.

    """

    payment_id: str
    client_secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NotPayable:
    """An order that cannot be paid, and its status."""

    status: str


class CannotBegin(Enum):
    """Why a payment cannot begin, although its order is RESERVED or unknown."""

    NO_SUCH_ORDER = "not_found"
    HOLD_EXPIRING = "hold_expiring"
    AMOUNT = "amount_not_payable"
    NO_PROVIDER = "no_provider"
