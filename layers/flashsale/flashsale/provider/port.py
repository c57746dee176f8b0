"""What the application needs of a payment provider."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from flashsale.domain.payments import Payment


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """A payment that a buyer may make.

    Attributes:
        id: the provider's (pi_…).
        client_secret: with it the buyer's browser pays at the provider. It is for the buyer only.

    """

    id: str
    client_secret: str = field(repr=False)


class PaymentProvider(Protocol):
    """Creates, cancels and refunds payments.

    Every method raises ProviderUnavailable if the provider does not do what it is asked. The call
    may have had its effect then, and all of them may be repeated. It is ProviderRefused if the
    provider does so with this payment, and may do better with the next one.
    """

    async def create(self, order_id: str, amount: Decimal, currency: str) -> PaymentIntent:
        """Create the payment of an order, or return it if an earlier call has created it.

        Args:
            currency: three capital letters (ISO 4217).

        """

    async def cancel(self, payment_id: str) -> Payment | None:
        """Cancel a payment, so that nobody can make it any more.

        Return None if it is cancelled, now or before. Return the payment if it had succeeded. Raise
        PaymentInProgress if it is being made.
        """

    async def refund(self, payment_id: str) -> None:
        """Give the whole amount of a payment back, once, however often this is called."""
