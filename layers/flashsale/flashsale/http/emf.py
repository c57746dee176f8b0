"""Observations as CloudWatch sees them: one line per request, for a claim with its metrics (EMF).

Each claim counts three times: by generation and outcome, by outcome alone, and among all. Alarms
look at the last two: they cannot sum over a dimension. The average of `Failed`, which is 0 or 1, is
the error rate.
"""

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
        # Nobody counts these by a metric of CloudWatch; the exporter counts them by their lines.
        seen_more = {"route": seen.route, "latency_ms": round(seen.seconds * 1000, 1)}
        (logger.error if failed else logger.info)(message, extra=fields | seen_more)
    else:
        try:
            _count(seen, {"level": "ERROR" if failed else "INFO", "message": message, **fields})
        except Exception:
            metrics.clear_metrics()  # it could not be written; the next line is not about it
            raise


def _count(seen: Observation, fields: dict[str, Any]) -> None:
    # A metric line may carry other fields: a second line would say the same once more.
    outcome, service = seen.outcome or "failed", str(metrics.service)
    metrics.add_dimension(name="generation", value=f"v{seen.generation}")
    metrics.add_dimension(name="outcome", value=outcome)
    metrics.add_dimensions(service=service, outcome=outcome)
    metrics.add_dimensions(service=service)
    metrics.add_metric(name="Claims", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Failed", unit=MetricUnit.Count, value=int(seen.status >= 500))
    milliseconds = round(seen.seconds * 1000, 1)
    metrics.add_metric(name="Latency", unit=MetricUnit.Milliseconds, value=milliseconds)
    for name, value in fields.items():
        metrics.add_metadata(name, value)
    # When the request came, not when its line was written: a leader's answer leaves after relaying.
    began = datetime.fromtimestamp(seen.began, UTC).isoformat(timespec="milliseconds")
    metrics.add_metadata("timestamp", began)
    metrics.flush_metrics()
