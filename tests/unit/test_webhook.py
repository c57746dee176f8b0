"""The webhook: what it takes, what it refuses and why, and what it reads of it."""

import json
from types import SimpleNamespace

import pytest

from flashsale.errors import ConfigError, QueueUnavailable
from flashsale.http.webhook import MAX_BODY, PATH, Webhook
from flashsale.provider import events
from flashsale.provider.signature import TOLERANCE
from tests.helpers.webhooks import SECRET, lambda_event, paid_event, signed

ORDER = "p-01:1800000000000-0"
NOW = 1_800_000_000
OTHER = "x" * 32


class Queue:
    def __init__(self):
        self.payments = []

    def send(self, payment):
        self.payments.append(payment)


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def webhook(queue):
    return Webhook([SECRET], queue.send)


@pytest.fixture
def parsed(monkeypatch):
    """Return the bodies that were parsed."""
    bodies, loads = [], json.loads
    spy = SimpleNamespace(loads=lambda body: bodies.append(body) or loads(body))
    monkeypatch.setattr(events, "json", spy)
    return bodies


def request(body, headers=None, **more):
    return lambda_event(body, signed(body, at=NOW) if headers is None else headers, **more)


def code(answer):
    return answer.status, json.loads(answer.response()["body"]).get("code")


def test_a_signed_payment_goes_to_the_queue(webhook, queue):
    answer = webhook.receive(request(paid_event(ORDER)), NOW)

    assert (answer.status, answer.reason) == (200, None)
    (payment,) = queue.payments
    assert (payment.id, payment.order_id) == ("pi_1", ORDER)
    assert answer.log_fields == {"status": 200, "payment_id": "pi_1", "order_id": ORDER}


def test_a_body_that_is_not_in_base64_is_the_same(webhook, queue):
    body = paid_event(ORDER, description="für Zoë")
    event = request(body) | {"body": body.decode(), "isBase64Encoded": False}

    assert webhook.receive(event, NOW).status == 200
    assert queue.payments


def test_the_name_of_a_header_has_no_case(webhook):
    body = paid_event(ORDER)
    headers = {name.title(): value for name, value in signed(body, at=NOW).items()}

    assert webhook.receive(request(body, headers), NOW).status == 200


def test_other_events_are_taken_and_ignored(webhook, queue):
    body = paid_event(ORDER, metadata={})

    assert webhook.receive(request(body), NOW).status == 200
    assert not queue.payments


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"stripe-signature": "nonsense"}, "malformed"),
        (signed(paid_event(ORDER), OTHER, NOW), "wrong"),
        (signed(paid_event("p-02:1-0"), at=NOW), "wrong"),
        (signed(paid_event(ORDER), at=NOW - TOLERANCE - 1), "too_old"),
        (signed(paid_event(ORDER), at=NOW + TOLERANCE + 1), "in_the_future"),
    ],
    ids=["missing", "malformed", "forged", "of another body", "replayed", "future"],
)
def test_what_is_not_signed_is_never_parsed(webhook, queue, parsed, headers, reason):
    answer = webhook.receive(request(paid_event(ORDER), headers), NOW)

    assert (code(answer), answer.reason) == ((401, "invalid_signature"), reason)
    assert not parsed
    assert not queue.payments


def test_what_is_signed_is_parsed_once(webhook, parsed):
    webhook.receive(request(paid_event(ORDER)), NOW)

    assert parsed == [paid_event(ORDER)]


@pytest.mark.parametrize("body", [b"", b"{", b"null", paid_event("a\x00b")])
def test_a_signed_body_that_is_no_event_is_invalid(webhook, queue, body):
    answer = webhook.receive(request(body), NOW)

    assert (code(answer), answer.reason) == ((400, "invalid"), "invalid")
    assert not queue.payments


def test_a_body_that_is_not_what_the_event_says_is_invalid(webhook):
    event = request(paid_event(ORDER)) | {"body": "no base64"}

    assert code(webhook.receive(event, NOW)) == (400, "invalid")


def test_half_a_character_is_what_nobody_has_signed(webhook):
    event = request(paid_event(ORDER)) | {"body": "\ud800", "isBase64Encoded": False}

    assert code(webhook.receive(event, NOW)) == (401, "invalid_signature")


@pytest.mark.parametrize(
    ("length", "status"), [(MAX_BODY, 400), (MAX_BODY + 1, 413), (MAX_BODY * 10, 413)]
)
@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_has_a_limit(webhook, length, status, encoded):
    body = b"[" + b" " * (length - 1)  # not JSON
    event = request(body)
    if not encoded:
        event |= {"body": body.decode(), "isBase64Encoded": False}

    assert webhook.receive(event, NOW).status == status


@pytest.mark.parametrize("path", ["/", "/api/payments", f"{PATH}/", f"{PATH}/x", "/api/v5/buy"])
def test_other_paths_have_nothing(webhook, path):
    assert code(webhook.receive(request(paid_event(ORDER), path=path), NOW)) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_it_takes_post_only(webhook, method):
    answer = webhook.receive(request(paid_event(ORDER), method=method), NOW)

    assert code(answer) == (405, "method_not_allowed")
    assert answer.response()["headers"]["allow"] == "POST"


def test_while_sqs_is_down_the_provider_is_to_send_again():
    def send(_payment):
        raise QueueUnavailable("SQS may lack payment pi_1: no answer")

    answer = Webhook([SECRET], send).receive(request(paid_event(ORDER)), NOW)
    response = answer.response()

    assert (code(answer), response["headers"]["retry-after"]) == ((503, "unavailable"), "5")
    assert "pi_1" not in response["body"]
    assert "no answer" in answer.log_fields["error"]


@pytest.mark.parametrize("secret", [SECRET, "", OTHER])
def test_without_secrets_everything_is_refused_with_a_clear_line(queue, parsed, secret):
    body = paid_event(ORDER)

    answer = Webhook([], queue.send).receive(request(body, signed(body, secret, NOW)), NOW)

    assert (code(answer), answer.reason) == ((401, "invalid_signature"), "no_secret")
    assert "WEBHOOK_SECRETS is not set" in answer.log_fields["error"]
    assert not parsed
    assert not queue.payments


URL = "http://127.0.0.1:1/000000000000/payments"


@pytest.mark.parametrize("listed", [SECRET, f"{SECRET},{OTHER}", f" {SECRET} , {OTHER}\n"])
def test_it_reads_one_secret_or_two(monkeypatch, listed):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    made = Webhook.from_mapping({"PAYMENTS_QUEUE_URL": URL, "WEBHOOK_SECRETS": listed})

    assert made.secrets == ((SECRET, OTHER) if "," in listed else (SECRET,))
    assert SECRET not in repr(made)


@pytest.mark.parametrize("listed", ["short", f"{SECRET},short", f"{SECRET},{OTHER},{'y' * 32}"])
def test_it_does_not_start_with_secrets_that_are_wrong(monkeypatch, listed):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    with pytest.raises(ConfigError, match="WEBHOOK_SECRETS") as caught:
        Webhook.from_mapping({"PAYMENTS_QUEUE_URL": URL, "WEBHOOK_SECRETS": listed})

    assert SECRET not in str(caught.value)


def test_it_does_not_start_without_its_queue():
    with pytest.raises(ConfigError, match="PAYMENTS_QUEUE_URL"):
        Webhook.from_mapping({"WEBHOOK_SECRETS": SECRET})
