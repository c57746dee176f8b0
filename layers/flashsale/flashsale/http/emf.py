"""Observations as CloudWatch sees them: one log line and one metric line (EMF) per request."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.http.observe import Observation

logger = Logger(location=None)  # always this module
metrics = Metrics()


def emit(seen: Observation) -> None:
    """Write the log line, and count the claim if the request was one."""
    line = {
        "correlation_id": seen.correlation_id,
        "status": seen.status,
        "generation": seen.generation,
        "outcome": seen.outcome,
        "order_id": seen.order_id,
        "error": seen.error,
    }
    write = logger.error if seen.status >= 500 else logger.info
    write(f"{seen.method} {seen.path}", extra={k: v for k, v in line.items() if v is not None})
    if seen.generation is not None:
        metrics.add_dimension(name="generation", value=f"v{seen.generation}")
        metrics.add_dimension(name="outcome", value=seen.outcome or "failed")
        metrics.add_metric(name="Claims", unit=MetricUnit.Count, value=1)
        metrics.flush_metrics()
