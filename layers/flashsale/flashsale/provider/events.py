"""The provider's events. Only a payment that succeeded says anything new."""

import json
import re
from typing import Any

from flashsale.domain.amounts import from_minor
from flashsale.domain.model import ORDER_ID
from flashsale.domain.payments import CURRENCY, LARGEST_AMOUNT, PAYMENT_ID, Payment
from flashsale.errors import InvalidEvent

PAID = "payment_intent.succeeded"


def paid(body: bytes) -> Payment | None:
    """Return the payment that an event tells of; None if the event is not for us.

    An event is for us if its type is `payment_intent.succeeded` and its payment names an order in
    `metadata.order_id`, where it was put when the payment was created.

    Args:
        body: JSON whose signature was verified.

    Raises:
        InvalidEvent: the body is no event, or a field has a wrong type or an impossible value.

    """
    event = _parse(body)
    if _text(event, "type") != PAID:
        return None
    intent = _object(_object(event, "data"), "object")
    if intent.get("metadata") is None:
        return None
    metadata = _object(intent, "metadata")
    if metadata.get("order_id") is None:
        return None
    currency = _text(intent, "currency").upper()
    if not re.fullmatch(CURRENCY, currency):
        raise InvalidEvent("currency is not three letters")
    units = intent.get("amount_received")
    if type(units) is not int or units <= 0:  # a bool is an int, too
        raise InvalidEvent("amount_received is not a positive whole number")
    amount = from_minor(units, currency)
    if amount >= LARGEST_AMOUNT:
        raise InvalidEvent("amount_received is too large")
    payment_id = _matching(intent, "id", PAYMENT_ID)
    return Payment(payment_id, _matching(metadata, "order_id", ORDER_ID), amount, currency)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidEvent("the body is not JSON") from None
    if not isinstance(event, dict):
        raise InvalidEvent("the body is not an object")
    return event


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise InvalidEvent(f"{name} is not an object")
    return value


def _text(parent: dict[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str):
        raise InvalidEvent(f"{name} is not a text")
    return value


def _matching(parent: dict[str, Any], name: str, pattern: str) -> str:
    value = _text(parent, name)
    if not re.fullmatch(pattern, value):
        raise InvalidEvent(f"{name} does not match {pattern}")
    return value
