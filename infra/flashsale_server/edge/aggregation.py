"""/metrics: the sums of the metrics of all web workers."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from flashsale_server.edge import metrics_file
from flashsale_server.edge.process_metrics import PROCESS_METRICS

Labels = tuple[tuple[str, str], ...]

logger = logging.getLogger(__name__)
_logged: set[str] = set()


def exposition() -> bytes:
    """Return the metrics of all files that can be read, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_AllWorkers())
    return generate_latest(registry)


class _AllWorkers(Collector):
    def describe(self) -> list[Metric]:
        return []  # to register the collector must not read files

    def collect(self) -> Iterator[Metric]:
        sums = defaultdict(float, PROCESS_METRICS.values())
        unreadable, memory_only = _add_others(sums)
        _log(unreadable)
        yield from _families(sums)
        yield GaugeMetricFamily(
            "flashsale_metrics_unreadable_files",
            "Files of web workers whose metrics are missing here; the log names them",
            len(unreadable),
        )
        yield GaugeMetricFamily(
            "flashsale_metrics_unkept_series",
            "Series that a web worker has in its memory only; its log says why",
            PROCESS_METRICS.memory_only + memory_only,
        )


def _add_others(sums: dict[bytes, float]) -> tuple[dict[str, str], int]:
    """Add what the files of other workers have; for this worker, its memory counts.

    Returns:
        What is wrong with files, by path; and the number of series that the other files lack.

    """
    if PROCESS_METRICS.folder is None:
        return {}, 0
    unreadable, memory_only = {}, 0
    try:
        paths = sorted(PROCESS_METRICS.folder.iterdir())
    except OSError as error:
        return {str(PROCESS_METRICS.folder): str(error)}, 0
    for path in paths:
        if path.suffix != ".db" or path == PROCESS_METRICS.path:
            continue
        try:
            content = metrics_file.read(path)
            for key in content.values:
                _series(key)
        except FileNotFoundError:
            continue  # it was deleted meanwhile
        except (OSError, ValueError, TypeError) as error:
            unreadable[str(path)] = str(error)
            continue
        memory_only += content.memory_only
        for key, stored in content.values.items():
            sums[key] += stored.value
    return unreadable, memory_only


def _log(unreadable: dict[str, str]) -> None:
    """Log each unreadable file once, until it can be read again."""
    for path, reason in unreadable.items():
        if path not in _logged:
            logger.error(
                "/metrics lacks the metrics of %s: %s. Let this user read it, or delete it: "
                "a worker that is alive writes its own again", path, reason,
            )  # fmt: skip
    _logged.intersection_update(unreadable)
    _logged.update(unreadable)


class _Series(NamedTuple):
    type: str
    metric: str
    name: str
    labels: Labels
    help: str


@lru_cache(4096)
def _series(key: bytes) -> _Series:
    """Parse the key of a series.

    Raises:
        ValueError, TypeError: the key is not one of `MetricValue`.

    """
    type_, metric, name, labels, text = json.loads(key)
    return _Series(type_, metric, name, tuple(labels.items()), text)


def _families(sums: dict[bytes, float]) -> list[Metric]:
    """Return metrics with their samples; buckets of histograms become cumulative."""
    families: dict[str, Metric] = {}
    buckets: defaultdict[tuple[str, Labels], dict[str, float]] = defaultdict(dict)
    for key, value in sums.items():
        series = _series(key)
        family = Metric(series.metric, series.help, series.type)
        family = families.setdefault(series.metric, family)
        labels = dict(series.labels)
        if (limit := labels.pop("le", None)) is None:
            family.add_sample(series.name, labels, value)
        else:
            buckets[series.metric, tuple(labels.items())][limit] = value
    for (name, pairs), counts in buckets.items():
        total = 0.0
        for limit in sorted(counts, key=float):
            total += counts[limit]
            families[name].add_sample(f"{name}_bucket", {**dict(pairs), "le": limit}, total)
        families[name].add_sample(f"{name}_count", dict(pairs), total)
    return list(families.values())
