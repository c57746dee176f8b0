"""The fake provider's payments, in memory, with the states and errors that Stripe documents."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DECLINED = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
}


class Refused(Exception):
    """A request that the provider rejects.

    Attributes:
        status: of the answer.
        error: what Stripe puts into `error`.

    """

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        kind = "idempotency_error" if code == "idempotency_key_in_use" else "invalid_request_error"
        self.error = {"type": kind, "code": code, "message": message, **more}


@dataclass
class Delivery:
    """A webhook, and what became of it.

    Attributes:
        state: waiting, delivered, or given up.
        answers: the statuses of the answers, 0 for no answer.

    """

    type: str
    state: str = "waiting"
    answers: list[int] = field(default_factory=list)


@dataclass
class Intent:
    """A PaymentIntent. Amounts are in minor units."""

    amount: int
    currency: str
    metadata: dict[str, str]
    id: str = field(default_factory=lambda: f"pi_{secrets.token_hex(12)}")
    status: str = "requires_payment_method"
    amount_received: int = 0
    refunds: int = 0
    created: int = field(default_factory=lambda: int(time.time()))
    secret: str = field(default_factory=lambda: secrets.token_hex(12))
    webhooks: list[Delivery] = field(default_factory=list)
    last_payment_error: dict[str, str] | None = None

    @property
    def payable(self) -> bool:
        """Whether its buyer may pay it now."""
        return self.status == "requires_payment_method"

    def succeed(self, amount: int | None) -> None:
        """Receive the money.

        Args:
            amount: what is received; by default what was asked for.

        """
        self.status, self.last_payment_error = "succeeded", None
        self.amount_received = self.amount if amount is None else amount

    def body(self) -> dict[str, Any]:
        """Return it as Stripe shows it, with fewer fields."""
        return {
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_received": self.amount_received,
            "client_secret": f"{self.id}_secret_{self.secret}",
            "created": self.created,
            "currency": self.currency,
            "last_payment_error": self.last_payment_error,
            "livemode": False,
            "metadata": self.metadata,
            "status": self.status,
        }


class Intents:
    """All payments of this provider. Nothing is kept when it stops."""

    def __init__(self) -> None:
        self.all: dict[str, Intent] = {}

    def get(self, intent_id: str) -> Intent:
        """Return a payment, or raise Refused."""
        if intent := self.all.get(intent_id):
            return intent
        raise Refused(404, "resource_missing", f"No such payment_intent: '{intent_id}'")

    def create(self, fields: Mapping[str, str]) -> Intent:
        """Create a payment from the fields of a form."""
        amount, currency = fields.get("amount", ""), fields.get("currency", "")
        if not amount.isdecimal() or int(amount) < 1:
            raise Refused(400, "parameter_invalid_integer", "Invalid positive integer: amount")
        if len(currency) != 3 or not currency.islower():
            raise Refused(400, "parameter_invalid", "Invalid currency")
        prefix = "metadata["
        metadata = {
            name[len(prefix) : -1]: value
            for name, value in fields.items()
            if name.startswith(prefix) and name.endswith("]")
        }
        return self._add(Intent(int(amount), currency, metadata))

    def repeat(self, intent: Intent) -> Intent:
        """Create another payment of the same order."""
        return self._add(Intent(intent.amount, intent.currency, intent.metadata))

    def begin(self, intent_id: str) -> Intent:
        """Let a buyer pay: the payment is in progress until it succeeds."""
        intent = self._changeable(intent_id, "pay")
        intent.status = "processing"
        return intent

    def decline(self, intent_id: str) -> Intent:
        """Let the card of a buyer be declined. They may pay again."""
        intent = self._changeable(intent_id, "pay")
        intent.last_payment_error = dict(_DECLINED)
        return intent

    def cancel(self, intent_id: str) -> Intent:
        """Cancel a payment that has not succeeded, and is not in progress."""
        intent = self._changeable(intent_id, "cancel")
        intent.status = "canceled"
        return intent

    def refund(self, intent_id: str) -> dict[str, Any]:
        """Refund the whole of a payment that succeeded."""
        intent = self.get(intent_id)
        if intent.status != "succeeded":
            raise Refused(400, "charge_not_found", f"{intent.id} does not have a charge to refund.")
        if intent.refunds:
            raise Refused(400, "charge_already_refunded", f"{intent.id} was refunded before.")
        intent.refunds += 1
        return {
            "id": f"re_{secrets.token_hex(12)}",
            "object": "refund",
            "amount": intent.amount_received,
            "currency": intent.currency,
            "payment_intent": intent.id,
            "status": "succeeded",
        }

    def _add(self, intent: Intent) -> Intent:
        self.all[intent.id] = intent
        return intent

    def _changeable(self, intent_id: str, what: str) -> Intent:
        intent = self.get(intent_id)
        if intent.payable:
            return intent
        raise Refused(
            400,
            "payment_intent_unexpected_state",
            f"You cannot {what} this PaymentIntent because it has a status of {intent.status}.",
            payment_intent=intent.body(),
        )
