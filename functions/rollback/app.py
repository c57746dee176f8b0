"""The rollback function: cancels orders in the dead-letter queue and gives their units back."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.deadline import Deadline
from flashsale.runtime.process import run
from flashsale.runtime.sqs_event import failed_items, messages, record
from flashsale.runtime.tracing import traced
from flashsale.usecases.compensate import compensate

logger = Logger()
metrics = Metrics()


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Work off an SQS batch and return the ids of the messages that SQS must deliver again."""
    deadline = Deadline.of(context)
    outcome = run(lambda services: compensate(services, messages(event), deadline))
    record("orders rolled back", outcome, logger, metrics)
    return failed_items(outcome)
