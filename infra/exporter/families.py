"""Metrics as they are read, not counted: each scrape makes them anew."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

# The values of a metric's labels, and its value.
Rows = Iterable[tuple[Sequence[str], float]]


def gauge(name: str, text: str, rows: Rows, *labels: str) -> GaugeMetricFamily:
    """What goes up and down."""
    family = GaugeMetricFamily(f"flashsale_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(name: str, text: str, rows: Rows, *labels: str) -> CounterMetricFamily:
    """What only goes up; its samples are called <name>_total."""
    family = CounterMetricFamily(f"flashsale_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family
