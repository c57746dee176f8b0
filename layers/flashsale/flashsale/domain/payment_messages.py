"""The messages in the queue `payments`: each is one payment that succeeded at the provider."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from flashsale.domain.messages import what_is_wrong
from flashsale.domain.model import ORDER_ID
from flashsale.domain.payments import CURRENCY, LARGEST_AMOUNT, PAYMENT_ID, Payment
from flashsale.errors import InvalidMessage


class QueuedPayment(BaseModel):
    """A payment on its way to PostgreSQL. Its JSON is the body of an SQS message.

    A message that is delivered twice is one row, because the provider's id is the primary key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, StringConstraints(pattern=PAYMENT_ID)]
    order_id: Annotated[str, StringConstraints(pattern=ORDER_ID)]
    amount: Annotated[Decimal, Field(gt=0, lt=LARGEST_AMOUNT, decimal_places=3)]
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)]

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """Make the message of a payment."""
        return cls(
            id=payment.id,
            order_id=payment.order_id,
            amount=payment.amount,
            currency=payment.currency,
        )

    def payment(self) -> Payment:
        """Return the payment."""
        return Payment(self.id, self.order_id, self.amount, self.currency)


def payment_of_message(body: str) -> Payment:
    """Decode the body of an SQS message.

    Raises:
        InvalidMessage: the body is no payment. The text says what is wrong, for the logs.

    """
    try:
        return QueuedPayment.model_validate_json(body).payment()
    except ValidationError as error:
        raise InvalidMessage(f"not a payment: {what_is_wrong(error)}") from error
