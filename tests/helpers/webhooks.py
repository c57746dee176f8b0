"""Webhooks of a payment provider: their bodies, their signatures, and Lambda's events of them."""

import base64
import json
import time
from typing import Any

from flashsale.http.webhook import PATH
from flashsale.provider.signature import sign

SECRET = "whsec_" + "s" * 32


def paid_event(
    order_id: str, payment_id: str = "pi_1", units: int = 750, currency: str = "eur", **intent: Any
) -> bytes:
    """Return the body of an event of a payment that succeeded.

    Args:
        units: minor units of the currency.
        intent: fields of the payment, which replace the usual ones.

    """
    usual = {
        "id": payment_id,
        "object": "payment_intent",
        "amount_received": units,
        "currency": currency,
        "metadata": {"order_id": order_id},
        "status": "succeeded",
    }
    kind = "payment_intent.succeeded"
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": usual | intent}}
    return json.dumps(event).encode()


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return the headers of a webhook that was signed now, or at another time."""
    header = sign(body, secret, int(time.time() if at is None else at))
    return {"content-type": "application/json", "stripe-signature": header}


def lambda_event(
    body: bytes, headers: dict[str, str], method: str = "POST", path: str = PATH
) -> dict[str, Any]:
    """Return the event (payload version 2.0) of a request whose body Lambda encoded in base64."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "request"},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
