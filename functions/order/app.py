"""The order function: writes what buyers claimed to PostgreSQL, a batch at a time."""

import asyncio
import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext
from flashsale.bootstrap import Services
from flashsale.config import Settings
from flashsale.place_orders import place_orders
from flashsale.sqs_event import failed_items, messages, record
from flashsale.tracing import traced

logger = Logger()
metrics = Metrics()
# One event loop for the life of the environment, so that connections outlive an invocation.
runner = asyncio.Runner()


@cache
def _services() -> Services:
    return Services(Settings.from_mapping(os.environ))


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """SQS batch in, the ids of the messages that must come again out."""
    outcome = runner.run(place_orders(_services(), messages(event)))
    record("orders placed", outcome, logger, metrics)
    return failed_items(outcome)
