"""A flood of webhooks that nobody has signed: each is refused, and none is parsed."""

import json
import logging
from random import Random
from types import SimpleNamespace

import pytest

from flashsale.http.webhook import Webhook
from flashsale.provider import events
from functions.webhook import app
from tests.helpers.support import LambdaContext
from tests.helpers.webhooks import SECRET, lambda_event, paid_event, signed

FLOOD = 100_000
BODY = paid_event("p-01:1800000000000-0")


def forgeries():
    """Yield headers without end: none, nonsense, forged, of another body, and old ones."""
    random = Random(18)
    genuine = signed(BODY)["stripe-signature"]
    while True:
        at, mac = random.randrange(10**10), f"{random.getrandbits(256):064x}"
        yield {}
        yield {"stripe-signature": random.randbytes(40).decode("latin-1")}
        yield {"stripe-signature": f"t={at},v1={mac}"}
        yield {"stripe-signature": f"{genuine.partition(',')[0]},v1={mac}"}
        yield signed(BODY, f"{random.getrandbits(256):064x}")
        yield signed(BODY, SECRET, random.randrange(1_600_000_000))
        yield {"stripe-signature": genuine[: random.randrange(len(genuine))]}
        yield signed(BODY + b" ", SECRET)


@pytest.fixture
def flooded(monkeypatch):
    """Return the bodies that were parsed, and the payments that were sent to the queue."""
    parsed, sent = [], []
    spy = SimpleNamespace(loads=lambda body: parsed.append(body) or json.loads(body))
    monkeypatch.setattr(events, "json", spy)
    webhook = Webhook([SECRET, "x" * 32], sent.append)
    monkeypatch.setattr(app, "webhook", lambda: webhook)
    monkeypatch.setattr(app.logger, "level", logging.CRITICAL)  # a line of each would be too much
    return parsed, sent


def test_no_webhook_of_a_flood_is_parsed(flooded, monkeypatch):
    parsed, sent = flooded
    monkeypatch.setattr(app.metrics, "flush_metrics", lambda **_: app.metrics.clear_metrics())
    context, headers = LambdaContext(), forgeries()

    for _ in range(FLOOD):
        answer = app.handler(lambda_event(BODY, next(headers)), context)
        assert answer["statusCode"] == 401

    assert not parsed
    assert not sent
    assert app.handler(lambda_event(BODY, signed(BODY)), context)["statusCode"] == 200
    assert (len(parsed), len(sent)) == (1, 1)
