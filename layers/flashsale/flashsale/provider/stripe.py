"""The adapter that speaks Stripe's HTTP API. *Not run by us against Stripe.*

It was tested against answers as Stripe's documentation shows them, and against the fake provider of
the local stack, which speaks the same API. See docs/decisions/0053.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TooSlow

from flashsale.domain.amounts import from_minor, to_minor
from flashsale.domain.payments import Payment
from flashsale.errors import PaymentInProgress, ProviderRefused, ProviderUnavailable
from flashsale.provider.port import PaymentIntent

# The version of the API whose shapes this module reads. Without it, the account's setting counts.
VERSION = "2024-06-20"
# Seconds. A buyer waits for `create`.
TIMEOUT = Timeout(connect=1.0, read=3.0)
CONNECTIONS = 10
# Cards succeed or fail at once. Methods that succeed days later would outlive every hold.
METHOD = "card"
# Answers about one payment. All others, such as 401 and 429, are about the account or the server.
REFUSED = frozenset([200, 400, 402, 404])


class Stripe:
    """Creates, cancels and refunds payments at Stripe. See `PaymentProvider` for its methods."""

    def __init__(self, url: str, key: str) -> None:
        """Make the adapter; it connects at the first call.

        Args:
            url: such as https://api.stripe.com.
            key: the secret key of the account.

        """
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
        # No redirects, because they would take the key elsewhere.
        self._pool = PoolManager(maxsize=CONNECTIONS, timeout=TIMEOUT, retries=False)

    async def create(self, order_id: str, amount: Decimal, currency: str) -> PaymentIntent:
        """Create the payment of an order. Stripe finds an earlier one by its Idempotency-Key."""
        fields = {
            "amount": str(to_minor(amount, currency)),
            "currency": currency.lower(),
            "payment_method_types[0]": METHOD,
            "metadata[order_id]": order_id,
        }
        status, answer = await self._post("/v1/payment_intents", fields, f"create:{order_id}")
        if status != 200:
            raise _unavailable(status, answer)
        return PaymentIntent(_text(answer, "id"), _text(answer, "client_secret"))

    async def cancel(self, payment_id: str) -> Payment | None:
        """Cancel a payment; return it if it had succeeded already, else None.

        It has no Idempotency-Key. With one, Stripe would repeat its first answer for a day, even if
        the payment has changed.
        """
        path = f"/v1/payment_intents/{quote(payment_id, safe='')}/cancel"
        status, answer = await self._post(path, {})
        if status == 200:
            return None
        error = _error(answer)
        intent = error.get("payment_intent")
        if error.get("code") == "payment_intent_unexpected_state" and isinstance(intent, dict):
            if intent.get("status") == "canceled":
                return None
            if intent.get("status") == "succeeded":
                return _payment(intent)
            if intent.get("status") == "processing":
                raise PaymentInProgress(f"status {status}, {error['code']}")
        raise _unavailable(status, answer)

    async def refund(self, payment_id: str) -> None:
        """Refund a payment. A second refund has the key of the first one, and no effect."""
        fields = {"payment_intent": payment_id}
        status, answer = await self._post("/v1/refunds", fields, f"refund:{payment_id}")
        refunded = status == 200 and answer.get("status") not in ("failed", "canceled")
        if not refunded and _error(answer).get("code") != "charge_already_refunded":
            raise _unavailable(status, answer)

    async def _post(
        self, path: str, fields: Mapping[str, str], key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return await asyncio.to_thread(self._post_now, path, fields, headers)

    def _post_now(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        for last in (False, True):
            try:
                response = self._pool.request(
                    "POST", self._url + path,
                    fields=dict(fields), headers=headers, encode_multipart=False,
                )  # fmt: skip
                break
            except HTTPError as error:
                # One more try, for a connection that the other side had closed while it was idle.
                if last or isinstance(error, TooSlow):
                    # The error's own text is left out: it may have the address of a proxy or a key.
                    raise ProviderUnavailable(f"no answer: {type(error).__name__}") from None
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ProviderUnavailable(f"status {response.status}, and no JSON object")
        return response.status, answer


def _payment(intent: Mapping[str, Any]) -> Payment:
    metadata, units = intent.get("metadata"), intent.get("amount_received")
    if not isinstance(metadata, dict) or not isinstance(units, int):
        raise ProviderUnavailable("a payment without metadata or amount_received")
    currency = _text(intent, "currency").upper()
    order_id = _text(metadata, "order_id")
    return Payment(_text(intent, "id"), order_id, from_minor(units, currency), currency)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise ProviderUnavailable(f"an answer without {name}")
    return value


def _error(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    error = answer.get("error")
    return error if isinstance(error, dict) else {}


def _unavailable(status: int, answer: Mapping[str, Any]) -> ProviderUnavailable:
    """Return the error for the logs: its code, but no text, which may quote a part of the key."""
    error = _error(answer)
    what = error.get("code") or error.get("type") or answer.get("failure_reason") or "no reason"
    kind = ProviderRefused if status in REFUSED else ProviderUnavailable
    return kind(f"status {status}, {what}")
