"""The history of one order, put together from the log lines of all parts.

A line belongs to an order if it names the order or its correlation id. A line about many claims of
the ledger belongs to the order if the order's entry is in its span or its list. Of a line about a
whole batch, only the part about this order is shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flashsale.domain.claims import claimed_at
from flashsale.domain.messages import orders_of_message
from flashsale.domain.model import ENTRY_ID
from flashsale.domain.payment_messages import payment_of_message
from flashsale.domain.payments import PaymentRow
from flashsale.errors import InvalidMessage
from flashsale_local.logs.lines import Line, fields_of, moment_of

# What the queue functions write of each order (`flashsale.runtime.sqs_event`). The first counts.
VERDICTS = {
    "cancelled_orders": "CANCELLED, its units are back in the stock",
    "reserved_orders": "RESERVED, its units are held until it is paid",
    "orders": "CONFIRMED",
    "sent_alone": "taken out of its envelope, sent on alone",
}

# The parts through which a purchase goes, in their order.
WAY = ("buy", "edge", "redis", "relay", "order", "rollback", "webhook", "payment")


@dataclass(frozen=True)
class Event:
    """One thing that happened to an order; `at` is in seconds since 1970."""

    at: float
    where: str
    text: str

    @property
    def clock(self) -> str:
        """The time of day, UTC."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S.%f")[:-3]


class Life:
    """Finds the events of one order in lines about all orders, and in its row and payments.

    Attributes:
        payments: the rows of its payments, as far as they are known.

    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.product_id, _, self.entry_id = order_id.rpartition(":")
        self.on_ledger = bool(self.product_id and re.fullmatch(ENTRY_ID, self.entry_id))
        self.correlation_id = ""
        self.payments: Sequence[PaymentRow] = ()

    @property
    def needles(self) -> list[str]:
        """Texts, one of which is in each line of this order that lacks its correlation id."""
        return [self.order_id, *([f"claims of {self.product_id} "] * self.on_ledger)]

    def learn_correlation_id(self, lines: Iterable[Line]) -> str:
        """Find the order's correlation id in these lines; "" if it is not there."""
        found = (self._correlation_id(fields_of(line.message)) for line in lines)
        self.correlation_id = next(filter(None, found), "")
        return self.correlation_id

    def events(self, lines: Iterable[Line]) -> list[Event]:
        """Return what happened, oldest first. A line that was read twice counts once."""
        events = {event for line in lines for event in self._events(line, fields_of(line.message))}
        return sorted(events | set(self._claimed()) | set(self._paid()), key=_by_time)

    def is_in(self, body: str) -> bool:
        """Whether a message of the queues holds this order, or a payment of it."""
        with suppress(InvalidMessage):
            return any(order.id == self.order_id for order in orders_of_message(body))
        with suppress(InvalidMessage):
            return payment_of_message(body).order_id == self.order_id
        return False

    def _claimed(self) -> Iterator[Event]:
        if self.on_ledger:  # the entry id says when, whatever the edge has logged
            yield Event(claimed_at(self.entry_id), "redis", f"claimed: entry {self.entry_id}")

    def _paid(self) -> Iterator[Event]:
        for payment in self.payments:
            named, amount = f"payment {payment.id}", f"{payment.amount} {payment.currency}"
            yield Event(payment.received_at.timestamp(), "postgres", f"{named} of {amount} came")
            if payment.decided_at:
                text = f"{named}: {_decision(payment.decision, payment.why)}"
                yield Event(payment.decided_at.timestamp(), "postgres", text)

    def _correlation_id(self, fields: dict[str, Any]) -> str:
        if fields.get("order_id") == self.order_id:
            return str(fields.get("correlation_id", ""))
        groups = [fields.get(name, {}) for name in VERDICTS]
        groups += fields.get("failed_orders", {}).values()
        return next((str(group[self.order_id]) for group in groups if self.order_id in group), "")

    def _events(self, line: Line, fields: dict[str, Any]) -> Iterator[Event]:
        # A log service may stamp all lines of an invocation alike.
        at = moment_of(fields) or line.timestamp / 1000
        message = str(fields.get("message", line.message))
        if text := self._of_batch(fields):
            yield Event(at, line.function, f"{fields['level']:7} {message}: {text}")
        elif text := self._of_relay(fields):
            yield Event(at, "relay", text)
        elif text := self._of_payments(fields):
            yield Event(at, line.function, f"{fields['level']:7} {message}: {text}")
        elif self._names(fields, message):
            yield Event(at, line.function, line.pretty)

    def _names(self, fields: dict[str, Any], message: str) -> bool:
        if self.order_id == fields.get("order_id") or self._is_named_in(message):
            return True
        known = self.correlation_id
        return bool(known) and (
            known == fields.get("correlation_id") or f"(correlation id {known})" in message
        )

    def _is_named_in(self, message: str) -> bool:
        return bool(re.search(rf"(?<![\w.:-]){re.escape(self.order_id)}(?![\w-])", message))

    def _of_batch(self, fields: dict[str, Any]) -> str:
        # The verdict first: an order may be written while another one makes its message fail.
        for name, text in VERDICTS.items():
            if self.order_id in fields.get(name, {}):
                return text
        for message_id, orders in fields.get("failed_orders", {}).items():
            if self.order_id in orders:
                return f"failed: {fields['failures'][message_id]} (message {message_id})"
        return ""

    def _of_relay(self, fields: dict[str, Any]) -> str:
        if not self.on_ledger:
            return ""
        if sending := self._about_product(fields.get("sending")):
            first, last = _number(sending["first_entry"]), _number(sending["last_entry"])
            inside = first <= _number(self.entry_id) <= last
            return f"sending it to SQS, {sending['claims']} claims in one call" if inside else ""
        overdue = self._about_product(fields.get("overdue"))
        if self.entry_id in overdue.get("entries", []):
            return f"unsettled too long, sending it again, {len(overdue['entries'])} claims"
        return ""

    def _of_payments(self, fields: dict[str, Any]) -> str:
        """Return what the payment function says of this order's payments."""
        return ", ".join(
            f"{id_} {_decision(facts.get('decision', 'failed'), facts.get('why'))}"
            for id_, facts in fields.get("payments", {}).items()
            if facts["order_id"] == self.order_id
        )

    def _about_product(self, facts: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the relay says of this order's product (see `flashsale.usecases.relay`)."""
        return facts if facts and facts.get("product_id") == self.product_id else {}


def _decision(decision: str, why: str | None) -> str:
    return f"{decision} ({why})" if why else decision


def _by_time(event: Event) -> tuple[float, int, str]:
    """Sort by time. Within one millisecond, the cause comes before its effect."""
    step = WAY.index(event.where) if event.where in WAY else len(WAY)
    return event.at, step, event.text


def _number(entry_id: str) -> tuple[int, int]:
    milliseconds, _, counter = entry_id.partition("-")
    return int(milliseconds), int(counter)
