"""What the webhook function counts. An alarm asks whether all webhooks of a time were refused."""

import json

import pytest

from flashsale.http.webhook import Webhook
from functions.webhook import app
from tests.helpers.support import LambdaContext
from tests.helpers.webhooks import SECRET, lambda_event, paid_event, signed

BODY = paid_event("p-01:1800000000000-0")


@pytest.mark.parametrize(("secret", "taken", "refused"), [(SECRET, 1, 0), ("x" * 32, 0, 1)])
def test_a_webhook_is_taken_or_refused(monkeypatch, capsys, secret, taken, refused):
    webhook = Webhook([SECRET], lambda _: None)
    monkeypatch.setattr(app, "webhook", lambda: webhook)

    app.handler(lambda_event(BODY, signed(BODY, secret)), LambdaContext())

    (line,) = [json.loads(one) for one in capsys.readouterr().out.splitlines() if "_aws" in one]
    assert (line["WebhooksTaken"], line["WebhooksRefused"]) == ([taken], [refused])
