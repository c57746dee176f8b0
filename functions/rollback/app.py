"""The rollback function: cancels orders of the dead-letter queue and gives their units back."""

import asyncio
import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from flashsale.bootstrap import Services
from flashsale.compensate import compensate
from flashsale.config import Settings
from flashsale.sqs_event import failed_items, messages, record
from flashsale.tracing import traced

logger = Logger()
metrics = Metrics()
runner = asyncio.Runner()


@cache
def _services() -> Services:
    return Services(Settings.from_mapping(os.environ))


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS batch in, the ids of the messages that must come again out."""
    outcome = runner.run(compensate(_services(), messages(event)))
    record("orders rolled back", outcome, logger, metrics)
    return failed_items(outcome)
