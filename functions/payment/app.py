"""The payment function: applies the payments in the queue to the orders that they pay."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.deadline import Deadline
from flashsale.runtime.process import run
from flashsale.runtime.sqs_event import failed_items, messages, record_payments
from flashsale.runtime.tracing import traced
from flashsale.usecases.take_payments import take_payments

logger = Logger()
metrics = Metrics()


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work off an SQS batch and return the ids of the messages that SQS must deliver again."""
    deadline = Deadline.of(context)
    taken = run(lambda services: take_payments(services, messages(event), deadline))
    record_payments(taken, logger, metrics)
    return failed_items(taken)
