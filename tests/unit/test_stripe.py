"""The adapter of Stripe, against a local server with answers as Stripe's documentation has them."""

import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from flashsale.domain.payments import Payment
from flashsale.errors import PaymentInProgress, ProviderRefused, ProviderUnavailable
from flashsale.provider.stripe import Stripe
from flashsale_local.stack.program import free_port
from tests.helpers.post_server import PostServer

ANSWERS = Path(__file__).parent / "stripe"
KEY = "sk_test_of_these_tests"
INTENT, ORDER = "pi_3MtwBwLkdIwHu7ix28a3tqPa", "p-01:1732000000000-0"


class Recorded(PostServer):
    """Answers with the next of the given answers, and remembers the requests."""

    def __init__(self):
        super().__init__()
        self.answers, self.requests = [], []

    def will_answer(self, status, name):
        self.answers.append((status, {}, (ANSWERS / f"{name}.json").read_bytes()))

    def answer_to(self, path, headers, body):
        self.requests.append((path, headers, dict(parse_qsl(body.decode()))))
        return self.answers.pop(0)


@pytest.fixture
def server():
    server = Recorded()
    yield server
    server.close()


@pytest.fixture
def stripe(server):
    return Stripe(f"{server.url}/", KEY)


async def test_a_payment_is_created_with_its_order_and_a_key(server, stripe):
    server.will_answer(200, "created")

    intent = await stripe.create(ORDER, Decimal("7.50"), "EUR")

    ((path, headers, fields),) = server.requests
    assert (intent.id, path) == (INTENT, "/v1/payment_intents")
    assert intent.client_secret.startswith(f"{INTENT}_secret_")
    assert intent.client_secret not in repr(intent)
    assert fields == {
        "amount": "750",
        "currency": "eur",
        "payment_method_types[0]": "card",
        "metadata[order_id]": ORDER,
    }
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Idempotency-Key"] == f"create:{ORDER}"
    assert headers["Stripe-Version"]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("status", "name", "paid"),
    [
        (200, "cancelled", None),
        (400, "cancelled_before", None),
        (400, "succeeded_before", Payment(INTENT, ORDER, Decimal("7.50"), "EUR")),
    ],
)
async def test_a_payment_is_cancelled_or_had_succeeded(server, stripe, status, name, paid):
    server.will_answer(status, name)

    assert await stripe.cancel(INTENT) == paid

    ((path, headers, _),) = server.requests
    assert path == f"/v1/payment_intents/{INTENT}/cancel"
    assert "Idempotency-Key" not in headers, "the first answer would be repeated for a day"


@pytest.mark.parametrize(("status", "name"), [(200, "refunded"), (400, "refunded_before")])
async def test_a_payment_is_refunded_once(server, stripe, status, name):
    server.will_answer(status, name)

    await stripe.refund(INTENT)

    ((path, headers, fields),) = server.requests
    assert (path, fields) == ("/v1/refunds", {"payment_intent": INTENT})
    assert headers["Idempotency-Key"] == f"refund:{INTENT}"


@pytest.mark.parametrize(
    ("call", "status", "name", "reason", "kind"),
    [
        ("cancel", 400, "processing", "payment_intent_unexpected_state", PaymentInProgress),
        ("cancel", 404, "no_such_intent", "resource_missing", ProviderRefused),
        ("refund", 200, "refund_failed", "lost_or_stolen_card", ProviderRefused),
        ("refund", 401, "invalid_key", "invalid_request_error", ProviderUnavailable),
        ("refund", 429, "rate_limit", "rate_limit", ProviderUnavailable),
        ("refund", 500, "rate_limit", "rate_limit", ProviderUnavailable),
    ],
)
async def test_what_the_provider_does_not_do(server, stripe, call, status, name, reason, kind):
    server.will_answer(status, name)

    with pytest.raises(ProviderUnavailable) as caught:
        await getattr(stripe, call)(INTENT)

    assert (str(caught.value), type(caught.value)) == (f"status {status}, {reason}", kind)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": 7}', b"\xff"])
async def test_an_answer_that_cannot_be_read(server, stripe, body):
    server.answers.append((200, {}, body))

    with pytest.raises(ProviderUnavailable):
        await stripe.create(ORDER, Decimal(1), "EUR")


async def test_a_succeeded_payment_must_name_its_order(server, stripe):
    answer = json.loads((ANSWERS / "succeeded_before.json").read_text())
    answer["error"]["payment_intent"]["metadata"] = {}
    server.answers.append((400, {}, json.dumps(answer).encode()))

    with pytest.raises(ProviderUnavailable, match="order_id"):
        await stripe.cancel(INTENT)


async def test_a_broken_connection_is_tried_once_more_with_the_key(server, stripe):
    server.answers.append(None)
    server.will_answer(200, "created")

    assert (await stripe.create(ORDER, Decimal(1), "EUR")).id == INTENT

    keys = {headers["Idempotency-Key"] for _, headers, _ in server.requests}
    assert (len(server.requests), keys) == (2, {f"create:{ORDER}"})


async def test_a_provider_that_breaks_each_connection_is_down(server, stripe):
    server.answers += [None, None, None]

    with pytest.raises(ProviderUnavailable, match="no answer"):
        await stripe.refund(INTENT)

    assert len(server.answers) == 1, "two tries, and no third one"


async def test_the_key_never_follows_a_redirect(server, stripe):
    server.answers.append((302, {"Location": f"{server.url}/elsewhere"}, b"{}"))

    with pytest.raises(ProviderUnavailable, match="status 302"):
        await stripe.refund(INTENT)

    assert len(server.requests) == 1


async def test_an_id_stays_one_part_of_the_path(server, stripe):
    server.will_answer(200, "cancelled")

    await stripe.cancel("pi_1/../../refunds?x")

    assert server.requests[0][0] == "/v1/payment_intents/pi_1%2F..%2F..%2Frefunds%3Fx/cancel"


async def test_nobody_listens():
    with pytest.raises(ProviderUnavailable) as caught:
        await Stripe(f"http://127.0.0.1:{free_port()}", KEY).refund(INTENT)

    assert KEY not in str(caught.value)
