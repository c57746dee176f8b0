"""The webhook of the payment provider, for events of the HTTP API and of function URLs.

The signature covers the bytes of the body. So they are checked first, and only then parsed. FastAPI
has no part in it: the function that serves the webhook reaches no store, and stays small.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from flashsale.domain.payments import Payment
from flashsale.errors import InvalidEvent, InvalidSignature, QueueUnavailable
from flashsale.http.problem_body import MEDIA_TYPE, problem_body
from flashsale.provider.events import paid
from flashsale.provider.signature import verify
from flashsale.sqs_store.payment_queue import PaymentQueue
from flashsale.variables import secrets, url

PATH = "/api/payments/webhook"
# Bytes. The provider sends an order's payment in less than 10 KB, and some other events in more.
MAX_BODY = 256 * 1024
_LONGEST_BASE64 = (MAX_BODY + 2) // 3 * 4
# Seconds. The provider has its own pauses. Other senders may heed it.
RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request to the webhook gets.

    Attributes:
        reason: why it was refused, in one word; None if it was taken, or is not for us.
        cause: what the log says, and the sender may not know.
        payment: what was sent to the queue.

    """

    status: int
    code: str = ""
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    cause: str = ""
    payment: Payment | None = None

    @property
    def log_fields(self) -> dict[str, str | int]:
        """The fields of its log line."""
        fields: dict[str, str | int] = {"status": self.status}
        if self.reason:
            fields["reason"] = self.reason
        if self.cause:
            fields["error"] = self.cause
        if self.payment:
            fields |= {"payment_id": self.payment.id, "order_id": self.payment.order_id}
        return fields

    def response(self) -> dict[str, Any]:
        """Return the answer as Lambda takes it."""
        body = problem_body(self.status, self.code, self.detail) if self.code else {}
        return {
            "statusCode": self.status,
            "headers": {
                "content-type": MEDIA_TYPE if self.code else "application/json",
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
                **self.headers,
            },
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook, with what it needs.

    Attributes:
        secrets: without any, every request is refused.
        send: sends a payment to the queue; may raise QueueUnavailable.

    """

    secrets: Sequence[str] = field(repr=False)
    send: Callable[[Payment], None]

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> Self:
        """Build the webhook from WEBHOOK_SECRETS and PAYMENTS_QUEUE_URL, usually of `os.environ`.

        Raises:
            ConfigError: a variable is missing or malformed. The text names it and its form.

        """
        queue = PaymentQueue(url(env, "PAYMENTS_QUEUE_URL", "https", "http"))
        return cls(secrets(env, "WEBHOOK_SECRETS"), queue.send)

    def receive(self, event: Mapping[str, Any], now: float) -> Answer:
        """Verify a request, and send the payment that it tells of to the queue.

        Args:
            event: payload version 2.0 of Lambda.
            now: seconds since 1970.

        """
        return _not_found(event) or self._take(event, now)

    def _take(self, event: Mapping[str, Any], now: float) -> Answer:
        try:
            body = _body_of(event)
        except ValueError:
            return _refuse(400, "invalid", "The body is not base64.", "invalid")
        if body is None:
            text = f"The body has more than {MAX_BODY} bytes."
            return _refuse(413, "too_large", text, "too_large")
        try:
            verify(_header(event, "stripe-signature"), body, self.secrets, now)
            payment = paid(body)
            if payment is not None:
                self.send(payment)
        except InvalidSignature as error:
            return self._forged(str(error))
        except InvalidEvent as error:
            return _refuse(400, "invalid", f"This is no event: {error}.", "invalid")
        except QueueUnavailable as error:
            later = {"retry-after": str(RETRY_AFTER)}
            text = "The queue service does not answer; send it again."
            return _refuse(503, "unavailable", text, "queue", str(error), later)
        return Answer(200, payment=payment)

    def _forged(self, reason: str) -> Answer:
        cause = ""
        if not self.secrets:
            reason, cause = "no_secret", "WEBHOOK_SECRETS is not set: no payment is taken here"
        text = "The signature proves nothing."
        return _refuse(401, "invalid_signature", text, reason, cause)


def _not_found(event: Mapping[str, Any]) -> Answer | None:
    """Refuse other paths, as a function URL passes on all of them, and other methods."""
    if event.get("rawPath") != PATH:
        return _refuse(404, "not_found", "There is nothing here.", "path")
    if event.get("requestContext", {}).get("http", {}).get("method") != "POST":
        allowed = {"allow": "POST"}
        return _refuse(405, "method_not_allowed", "It takes POST only.", "method", "", allowed)
    return None


def _body_of(event: Mapping[str, Any]) -> bytes | None:
    """Return the bytes that the client sent; None if there are too many.

    Raises:
        ValueError: the body is not the base64 that the event says it is.

    """
    body = event.get("body") or ""
    if len(body) > _LONGEST_BASE64:  # not worth to be decoded
        return None
    if event.get("isBase64Encoded"):
        raw = base64.b64decode(body, validate=True)
    else:
        # What is no character in UTF-8 becomes bytes that nobody has signed.
        raw = body.encode("utf-8", "surrogatepass")
    return raw if len(raw) <= MAX_BODY else None


def _header(event: Mapping[str, Any], name: str) -> str:
    """Return a header; "" if it is missing. Lambda joins headers of one name by commas."""
    headers = event.get("headers") or {}
    return ",".join(str(value) for key, value in headers.items() if key.lower() == name)


def _refuse(
    status: int,
    code: str,
    detail: str,
    reason: str,
    cause: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    return Answer(status, code, detail, headers or {}, reason, cause)
