"""Observations for CloudWatch: one log line per request, which has the metrics of a claim (EMF).

Each claim is counted three times: by generation and outcome, by outcome alone, and among all.
Alarms use the last two, because an alarm cannot sum over a dimension. `Failed` is 0 or 1, so its
average is the error rate.
"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from flashsale.http.observe import Observation

logger = Logger(location=None)  # the location would always be this module
metrics = Metrics()


def emit(seen: Observation) -> None:
    """Write the log line of one request. The line of a claim contains metrics for CloudWatch."""
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
        # CloudWatch has no metric of these requests. The exporter counts their lines.
        seen_more = {"route": seen.route, "latency_ms": round(seen.seconds * 1000, 1)}
        (logger.error if failed else logger.info)(message, extra=fields | seen_more)
    else:
        try:
            _count(seen, {"level": "ERROR" if failed else "INFO", "message": message, **fields})
        except Exception:
            metrics.clear_metrics()  # or the next line would have the metrics of this request
            raise


def _count(seen: Observation, fields: dict[str, Any]) -> None:
    # A metric line may carry other fields, so there is one line for people and for CloudWatch.
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
    # When the request came, not when its line is written: a leader answers after it has relayed.
    began = datetime.fromtimestamp(seen.began, UTC).isoformat(timespec="milliseconds")
    metrics.add_metadata("timestamp", began)
    metrics.flush_metrics()
