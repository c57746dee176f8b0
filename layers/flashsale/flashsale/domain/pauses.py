"""A pause that took effect while PostgreSQL was down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UnrecordedPause:
    """A pause that Redis has a record of, and that the audit in PostgreSQL does not have yet.

    Attributes:
        who: the admin's user id, or "cli " and the name of an operator.
        key: the Idempotency-Key, or an id made for this action. With `who` it names one action.
        arguments: values that JSON can represent.
        at: when it took effect, by the clock of Redis.

    """

    product_id: str
    who: str
    key: str
    arguments: Mapping[str, object]
    correlation_id: str
    at: datetime
