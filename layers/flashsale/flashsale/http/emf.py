"""Observations as CloudWatch sees them: one line per request, for a claim with its metric (EMF)."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.http.observe import Observation

logger = Logger(location=None)  # always this module
metrics = Metrics()


def emit(seen: Observation) -> None:
    """Write one line that people search and, for a claim, CloudWatch counts."""
    message = f"{seen.method} {seen.path}"
    failed = seen.status >= 500
    fields = {
        "correlation_id": seen.correlation_id,
        "status": seen.status,
        "order_id": seen.order_id,
        "error": seen.error,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    if seen.generation is None:
        (logger.error if failed else logger.info)(message, extra=fields)
    else:
        _count(seen, {"level": "ERROR" if failed else "INFO", "message": message, **fields})


def _count(seen: Observation, fields: dict[str, Any]) -> None:
    # A metric line may carry other fields: a second line would say the same once more.
    metrics.add_dimension(name="generation", value=f"v{seen.generation}")
    metrics.add_dimension(name="outcome", value=seen.outcome or "failed")
    metrics.add_metric(name="Claims", unit=MetricUnit.Count, value=1)
    for name, value in fields.items():
        metrics.add_metadata(name, value)
    metrics.add_metadata("timestamp", datetime.now(UTC).isoformat(timespec="milliseconds"))
    metrics.flush_metrics()
