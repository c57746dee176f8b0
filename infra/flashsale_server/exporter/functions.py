"""Counters of what the functions log: no emulator turns EMF lines into metrics.

Only lines count that are logged after the exporter has started: Prometheus takes a counter that
begins at 0 for a restart, and would count a total that is read again twice. A line that is read
twice counts once.
"""

import json
import logging
import time
from collections.abc import Hashable, Iterator, Mapping
from itertools import product
from typing import Any

import boto3
from botocore.exceptions import ClientError
from prometheus_client import Counter, Histogram, Metric

from flashsale_server.clients import IMPATIENT
from flashsale_server.edge.metrics import BUCKETS, METHODS, OUTCOMES, STATUSES, expected_requests
from flashsale_server.log_events import events_of, key_of

# The filter pattern by function. Without it, three of four lines of buy would be Lambda's own, and
# the lines of an order batch that are for people would name all of its orders.
PATTERNS = {
    "buy": '"status"', "order": '"BatchSize"', "rollback": '"BatchSize"',
    "sweep": '"ClaimsSwept"', "payment": '"PaymentsApplied"', "webhook": '"WebhooksTaken"',
}  # fmt: skip
# Milliseconds. A line may arrive this late, so each read begins this far back.
LATE = 10_000
# Outcomes of orders by the metric that counts them in the EMF line of a batch.
ENDS = {"OrdersConfirmed": "confirmed", "OrdersCancelled": "cancelled", "OrdersFailed": "failed"}
# The same of payments.
DECIDED = {
    "PaymentsApplied": "applied",
    "PaymentsToRefund": "to_refund",
    "PaymentsFailed": "failed",
}

# The same of webhooks.
ANSWERED = {"WebhooksTaken": "taken", "WebhooksRefused": "refused"}

logger = logging.getLogger(__name__)


class Functions:
    """Follows the log groups of functions."""

    def __init__(self, log_groups: Mapping[str, str]) -> None:
        self._logs = boto3.client("logs", config=IMPATIENT)
        self._groups = log_groups
        self._started = int(time.time() * 1000)
        self._newest = dict.fromkeys(log_groups, self._started)
        self._seen: dict[str, dict[Hashable, int]] = {name: {} for name in log_groups}
        self._claims = Counter(
            "flashsale_claims",
            "Purchase attempts",
            ["edge", "generation", "outcome"],
            registry=None,
        )
        self._requests = Histogram(
            "flashsale_http_request_seconds",
            "Time to answer",
            ["edge", "method", "route", "status"],
            buckets=BUCKETS,
            registry=None,
        )
        self._orders = Counter(
            "flashsale_orders",
            "Orders that left the queue, by how",
            ["function", "outcome"],
            registry=None,
        )
        self._batches = Counter(
            "flashsale_order_batches", "Invocations with orders", ["function"], registry=None
        )
        self._swept = Counter(
            "flashsale_swept_claims", "Claims that the sweep sent again", ["edge"], registry=None
        )  # fmt: skip
        self._payments = Counter(
            "flashsale_taken_payments", "Payments that left their queue", ["outcome"], registry=None
        )  # fmt: skip
        self._webhooks = Counter(
            "flashsale_webhooks", "Webhooks of the payment provider", ["outcome"], registry=None
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Create series that will probably be needed: see `expected_requests`."""
        for route, status in expected_requests():
            self._requests.labels("lambda", "POST", route, str(status))
        for generation, outcome in product(STATUSES, OUTCOMES):
            self._claims.labels("lambda", str(generation), outcome)
        for function in ("order", "rollback"):
            self._batches.labels(function)
            for outcome in ENDS.values():
                self._orders.labels(function, outcome)
        for outcome in DECIDED.values():
            self._payments.labels(outcome)
        for outcome in ANSWERED.values():
            self._webhooks.labels(outcome)
        self._swept.labels("lambda")

    def read(self) -> list[Metric]:
        """Read the new lines and return the counters."""
        for name in self._groups:
            for line in self._new_lines(name):
                try:
                    self._count(name, line)
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    logger.warning("a line of %s cannot be counted (%r): %s", name, error, line)
        counters = (
            self._claims, self._requests, self._orders, self._batches, self._swept, self._payments,
            self._webhooks,
        )  # fmt: skip
        return [metric for counter in counters for metric in counter.collect()]

    def _new_lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the structured lines of a function that were not read before."""
        since = max(self._started, self._newest[name] - LATE)
        seen = {key: at for key, at in self._seen[name].items() if at >= since}
        self._seen[name] = seen
        try:
            for event in events_of(self._logs, self._groups[name], since, PATTERNS[name]):
                message, at, key = event["message"], event["timestamp"], key_of(event)
                if not message.startswith("{") or key in seen:
                    continue
                seen[key] = at
                self._newest[name] = max(self._newest[name], at)
                yield _parsed(message)
        except ClientError as error:
            # A function that never ran may have no log group yet.
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def _count(self, function: str, line: dict[str, Any]) -> None:
        if function == "buy":
            self._count_request(line)
        elif function == "sweep":
            self._swept.labels("lambda").inc(_first(line, "ClaimsSwept"))
        elif function == "payment":
            for name, outcome in DECIDED.items():
                self._payments.labels(outcome).inc(_first(line, name))
        elif function == "webhook":
            for name, outcome in ANSWERED.items():
                self._webhooks.labels(outcome).inc(_first(line, name))
        elif "BatchSize" in line:
            self._batches.labels(function).inc()
            for name, outcome in ENDS.items():
                self._orders.labels(function, outcome).inc(_first(line, name))

    def _count_request(self, line: dict[str, Any]) -> None:
        method, _, path = str(line.get("message", "")).partition(" ")
        method = method if method in METHODS else "other"
        if "status" not in line:
            return  # a line about something else
        if "Claims" in line:
            generation = line["generation"].removeprefix("v")
            self._claims.labels("lambda", generation, line["outcome"]).inc(_first(line, "Claims"))
            route, milliseconds = path, _first(line, "Latency")
        else:
            route, milliseconds = line.get("route", ""), line.get("latency_ms", 0.0)
        request = self._requests.labels("lambda", method, route, str(line["status"]))
        request.observe(milliseconds / 1000)


def _parsed(message: str) -> dict[str, Any]:
    try:
        line = json.loads(message)
    except ValueError:
        return {}  # something else that begins with a brace
    return line if isinstance(line, dict) else {}


def _first(line: dict[str, Any], name: str) -> float:
    """Return the sum of a metric in an EMF line; 0 if the line does not have it."""
    value = line.get(name, 0)
    return float(sum(value)) if isinstance(value, list) else float(value)
