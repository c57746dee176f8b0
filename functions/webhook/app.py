"""The webhook function: takes the payment provider's webhooks, and sends payments to a queue.

It has no FastAPI and reaches no store, because everybody can call it without a token. The payment
function (`functions/payment/app.py`) applies what is in the queue.
"""

import os
import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.http.webhook import Webhook
from flashsale.runtime.tracing import traced

logger = Logger()
metrics = Metrics()


@cache
def webhook() -> Webhook:
    """Return the webhook of this process, built from its environment at the first call."""
    return Webhook.from_mapping(os.environ)


@traced(os.environ, stores=False)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API or of a function URL."""
    answer = webhook().receive(event, time.time())
    refused = answer.reason is not None
    if refused:
        metrics.add_metadata("reason", answer.reason)
    # Both in each line: where the least value of WebhooksRefused is 1, all of them were refused.
    metrics.add_metric(name="WebhooksTaken", unit=MetricUnit.Count, value=int(not refused))
    metrics.add_metric(name="WebhooksRefused", unit=MetricUnit.Count, value=int(refused))
    write = logger.warning if refused else logger.info
    write("webhook", extra=answer.log_fields)
    return answer.response()
