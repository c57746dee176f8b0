"""The sweep function: each minute, sends claims again that have stayed unsettled too long."""

import os
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.process import run
from flashsale.relay import sweep
from flashsale.tracing import traced

logger = Logger()
metrics = Metrics()


@traced(os.environ)
@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep once; the event is not read."""
    swept = run(sweep)
    logger.info("swept", extra={"claims": swept})
    metrics.add_metric(name="ClaimsSwept", unit=MetricUnit.Count, value=swept)
    return {"swept": swept}
