"""What an event of the provider says, and the amounts of its currencies."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.domain.amounts import from_minor, to_minor
from flashsale.domain.payment_messages import QueuedPayment, payment_of_message
from flashsale.domain.payments import Payment
from flashsale.errors import InvalidEvent, InvalidMessage
from flashsale.provider.events import paid
from tests.helpers.webhooks import paid_event

ORDER = "p-01:1800000000000-0"


def changed(path, value):
    event = json.loads(paid_event(ORDER))
    *parents, last = path
    found = event
    for name in parents:
        found = found[name]
    found[last] = value
    return json.dumps(event).encode()


def test_a_payment_that_succeeded_is_read():
    assert paid(paid_event(ORDER)) == Payment("pi_1", ORDER, Decimal("7.50"), "EUR")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["type"], "payment_intent.payment_failed"),
        (["type"], "charge.succeeded"),
        (["data", "object", "metadata"], {}),
        (["data", "object", "metadata"], None),
        (["data", "object", "metadata", "order_id"], None),
    ],
)
def test_other_events_are_not_for_us(path, value):
    assert paid(changed(path, value)) is None


@pytest.mark.parametrize("value", [1, True, [], {}, "", "a\x00b", "é", "x" * 129, "\ud800", "p 1"])
@pytest.mark.parametrize("path", [["id"], ["metadata", "order_id"], ["currency"]])
def test_a_text_that_cannot_be_stored_is_invalid(path, value):
    with pytest.raises(InvalidEvent):
        paid(changed(["data", "object", *path], value))


@pytest.mark.parametrize("value", [None, "750", 7.5, True, 0, -1, 10**15, [750]])
def test_an_amount_that_is_no_number_of_minor_units_is_invalid(value):
    with pytest.raises(InvalidEvent):
        paid(changed(["data", "object", "amount_received"], value))


@pytest.mark.parametrize("path", [["type"], ["data"], ["data", "object"]])
@pytest.mark.parametrize("value", [None, 1, []])
def test_a_field_of_another_type_is_invalid(path, value):
    with pytest.raises(InvalidEvent):
        paid(changed(path, value))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b'{"type": NaN}']
)
def test_a_body_that_is_no_event_is_invalid(body):
    with pytest.raises(InvalidEvent):
        paid(body)


@pytest.mark.parametrize(
    ("units", "currency", "amount"),
    [
        (750, "EUR", "7.50"),
        (750, "JPY", "750"),
        (750, "KRW", "750"),
        (750, "KWD", "0.750"),
        (500, "ISK", "5.00"),
        (1, "USD", "0.01"),
    ],
)
def test_minor_units_depend_on_the_currency(units, currency, amount):
    assert from_minor(units, currency) == Decimal(amount)
    assert to_minor(Decimal(amount), currency) == units


@pytest.mark.parametrize(
    ("amount", "currency"), [("7.505", "EUR"), ("7.50", "JPY"), ("7.50", "ISK")]
)
def test_a_part_of_a_minor_unit_cannot_be_paid(amount, currency):
    with pytest.raises(ValueError, match="minor unit"):
        to_minor(Decimal(amount), currency)


@given(st.integers(1, 10**11), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_payment_survives_its_message(units, currency):
    payment = Payment("pi_1", ORDER, from_minor(units, currency), currency)

    assert payment_of_message(QueuedPayment.of(payment).model_dump_json()) == payment


def test_a_message_has_the_agreed_form():
    payment = paid(paid_event(ORDER))
    assert payment

    message = QueuedPayment.of(payment).model_dump_json()

    expected = {"id": "pi_1", "order_id": ORDER, "amount": "7.50", "currency": "EUR"}
    assert json.loads(message) == expected


@pytest.mark.parametrize(
    "change",
    [{"amount": "NaN"}, {"amount": "-1"}, {"amount": "0.0001"}, {"amount": "1e12"}, {"id": "a\n"},
     {"currency": "eur"}, {"more": 1}, {"order_id": ""}, {"amount": None}],
)  # fmt: skip
def test_a_message_that_is_no_payment_is_refused(change):
    good = {"id": "pi_1", "order_id": ORDER, "amount": "7.50", "currency": "EUR"}

    with pytest.raises(InvalidMessage, match="not a payment"):
        payment_of_message(json.dumps(good | change))
