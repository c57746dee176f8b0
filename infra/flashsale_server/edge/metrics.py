"""Prometheus metrics of the requests of this worker; `aggregation` sums those of all workers."""

import logging
from collections.abc import Iterator
from functools import cache

from prometheus_client import Counter, Histogram

from flashsale.domain.model import Refusal
from flashsale.http.observe import Observation
from flashsale_server.edge import process_metrics  # noqa: F401 - before the first metric is created
from flashsale_server.edge.stream_metrics import STREAMS

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
CLAIMS = Counter("flashsale_claims", "Purchase attempts", ["generation", "outcome"])
REQUESTS = Histogram(
    "flashsale_http_request_seconds", "Time to answer", ["method", "route", "status"],
    buckets=BUCKETS,
)  # fmt: skip
METHODS = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}
# The most frequent answers of each generation: accepted, sold out, errors.
STATUSES = {
    **dict.fromkeys((1, 2, 3), (201, 400, 500, 503)), 4: (202, 400, 500, 503),
    5: (202, 403, 409, 429, 500, 503),
}  # fmt: skip
OUTCOMES = ("accepted", "failed", "too_many_requests", *(refusal.value for refusal in Refusal))
SWEPT = Counter("flashsale_swept_claims", "Claims that the sweep sent again")

logger = logging.getLogger(__name__)


def emit(seen: Observation) -> None:
    """Count one request, and log it if it failed.

    At the rates of this edge, lines about all requests would be too many to read.
    """
    # A client can invent methods, and each would be one more series for the life of the process.
    method = seen.method if seen.method in METHODS else "other"
    if seen.status != 200 or seen.route not in STREAMS:  # how long a stream lasts is no latency
        _request(method, seen.route, seen.status).observe(seen.seconds)
    if seen.generation is not None:
        _claim(seen.generation, seen.outcome or "failed").inc()
    if seen.status >= 500:
        path = ascii(seen.path)[1:-1]  # a line break in it would begin another line
        logger.error(
            "%s %s: %d, %s (correlation id %s)",
            method, path, seen.status, seen.error, seen.correlation_id,
        )  # fmt: skip


def start_at_zero() -> None:
    """Create series that will probably be needed: see `expected_requests`."""
    for route, status in expected_requests():
        _request("POST", route, status)
    for generation in STATUSES:
        for outcome in OUTCOMES:
            _claim(generation, outcome)


def expected_requests() -> Iterator[tuple[str, int]]:
    """Yield routes and statuses whose series exist from the start, at 0.

    A sale may end between two scrapes. The rate of a series whose first value is N is 0, so no
    panel would show the sale, and no alert its errors.
    """
    for generation, statuses in STATUSES.items():
        for status in statuses:
            yield f"/api/v{generation}/buy", status


# `labels` checks and locks each time, which is a third of the cost of counting.
@cache
def _request(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, status)


@cache
def _claim(generation: int, outcome: str) -> Counter:
    return CLAIMS.labels(generation, outcome)
