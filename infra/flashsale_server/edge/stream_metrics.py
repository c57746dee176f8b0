"""Prometheus metrics of live streams. How long they last is no latency, so `metrics` skips them."""

from prometheus_client import Counter, Histogram

from flashsale_server.edge import process_metrics  # noqa: F401 - before the first metric is created

# What a stream is about, and what an event is about.
SALE, ORDER = "sale", "order"
# The routes of streams.
ROUTES = {SALE: "/api/v5/products/{product_id}/events", ORDER: "/api/v5/orders/{order_id}/events"}
STREAMS = frozenset(ROUTES.values())

OPENED = Counter("flashsale_streams_opened", "Live streams that began", ["kind"])
CLOSED = Counter("flashsale_streams_closed", "Live streams that ended", ["kind", "reason"])
REFUSED = Counter("flashsale_streams_refused", "Live streams that were refused", ["reason"])
EVENTS = Counter("flashsale_stream_events", "Events that were sent on live streams", ["kind"])
TICKS = Histogram(
    "flashsale_hub_tick_seconds", "Time of one look at the stores for all live streams", ["kind"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)  # fmt: skip
EVENTS_OF = {kind: EVENTS.labels(kind) for kind in ROUTES}
for one in ROUTES:
    OPENED.labels(one)
