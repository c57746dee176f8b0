"""Metrics as they are read, not counted: each scrape makes them anew."""

from collections.abc import Iterable, Sequence

from prometheus_client import Metric
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


def merged(metrics: Iterable[Metric]) -> list[Metric]:
    """One family of each name, and of each series its first sample: a scrape may show none twice.

    The families that are given stay as they are.
    """
    families: dict[str, Metric] = {}
    seen = set()
    for metric in metrics:
        empty = Metric(metric.name, metric.documentation, metric.type)
        family = families.setdefault(metric.name, empty)
        for sample in metric.samples:
            if (series := (sample.name, *sorted(sample.labels.items()))) not in seen:
                seen.add(series)
                family.samples.append(sample)
    return list(families.values())
