"""The order function: writes the orders of claims to PostgreSQL, a batch at a time."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.deadline import Deadline
from flashsale.runtime.process import run
from flashsale.runtime.sqs_event import failed_items, messages, record
from flashsale.runtime.tracing import traced
from flashsale.usecases.place_orders import place_orders

logger = Logger()
metrics = Metrics()


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work off an SQS batch and return the ids of the messages that SQS must deliver again."""
    deadline = Deadline.of(context)
    outcome = run(lambda services: place_orders(services, messages(event), deadline))
    record("orders placed", outcome, logger, metrics)
    return failed_items(outcome)
