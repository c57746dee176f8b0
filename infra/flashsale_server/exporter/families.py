"""Metric families that are read and not counted: each scrape makes new ones."""

from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

# The values of a metric's labels, and its value.
Rows = Iterable[tuple[Sequence[str], float]]


def gauge(name: str, text: str, rows: Rows, *labels: str) -> GaugeMetricFamily:
    """Return a metric that goes up and down."""
    family = GaugeMetricFamily(f"flashsale_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(name: str, text: str, rows: Rows, *labels: str) -> CounterMetricFamily:
    """Return a metric that only goes up; its samples are called <name>_total."""
    family = CounterMetricFamily(f"flashsale_{name}", text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def merged(metrics: Iterable[Metric]) -> list[Metric]:
    """Return one family for each name, with the first sample of each series.

    A scrape must not contain a series twice. The families that are given stay unchanged.
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
