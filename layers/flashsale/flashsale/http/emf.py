"""Observations for CloudWatch: one log line per request, which has the metrics of a claim (EMF).

Each claim is counted three times: by generation and outcome, by outcome alone, and among all.
Alarms use the last two, because an alarm cannot sum over a dimension. `Failed` is 0 or 1, so its
average is the error rate.

The line of a claim is that of Powertools' `Metrics`, which takes three times the CPU to make it.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime

from aws_lambda_powertools import Logger

from flashsale.http.observe import Observation

logger = Logger(location=None)  # the location would always be this module

_DIMENSIONS = [["generation", "outcome", "service"], ["service", "outcome"], ["service"]]
_UNITS = [
    {"Name": "Claims", "Unit": "Count"},
    {"Name": "Failed", "Unit": "Count"},
    {"Name": "Latency", "Unit": "Milliseconds"},
]
_METRICS = [
    {
        # An operator's own variables, as Powertools reads them in the other functions.
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", ""),
        "Dimensions": _DIMENSIONS,
        "Metrics": _UNITS,
    }
]
# json.dumps makes an encoder at each call that has separators.
_encode = json.JSONEncoder(separators=(",", ":")).encode


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
    milliseconds = round(seen.seconds * 1000, 1)
    if seen.generation is None:
        # CloudWatch has no metric of these requests. The exporter counts their lines.
        seen_more = {"route": seen.route, "latency_ms": milliseconds}
        (logger.error if failed else logger.info)(message, extra=fields | seen_more)
        return
    # A metric line may carry other fields, so there is one line for people and for CloudWatch.
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": _METRICS},
        "generation": f"v{seen.generation}",
        "outcome": seen.outcome or "failed",
        "service": logger.service,
        "level": "ERROR" if failed else "INFO",
        "message": message,
        **fields,
        # When the request came, not when its line is written: a leader answers after it has
        # relayed.
        "timestamp": datetime.fromtimestamp(seen.began, UTC).isoformat(timespec="milliseconds"),
        "Claims": [1.0],
        "Failed": [float(failed)],
        "Latency": [milliseconds],
    }
    sys.stdout.write(_encode(line) + "\n")
