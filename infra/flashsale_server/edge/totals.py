"""The figures of all web workers together, as /metrics shows them."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from flashsale_server.edge import figure_file
from flashsale_server.edge.figures import FIGURES

Labels = tuple[tuple[str, str], ...]

logger = logging.getLogger(__name__)
_told: set[str] = set()


def exposition() -> bytes:
    """All figures that can be read, in Prometheus' text format, and how many files cannot be."""
    registry = CollectorRegistry()
    registry.register(_Totals())
    return generate_latest(registry)


class _Totals(Collector):
    def describe(self) -> list[Metric]:
        return []  # to register it is not to read

    def collect(self) -> Iterator[Metric]:
        sums = defaultdict(float, FIGURES.rows())
        unreadable, unkept = _add_others(sums)
        _tell(unreadable)
        yield from _families(sums)
        yield GaugeMetricFamily(
            "flashsale_metrics_unreadable_files",
            "Files of web workers whose figures are missing here; the log names them",
            len(unreadable),
        )
        yield GaugeMetricFamily(
            "flashsale_metrics_unkept_series",
            "Series that a web worker has in its memory only; its log says why",
            FIGURES.unkept + unkept,
        )


def _add_others(sums: dict[bytes, float]) -> tuple[dict[str, str], int]:
    """Add what other workers, alive and dead, have in their files; of this one, its memory counts.

    Returns:
        What is wrong with files, by their paths; and how many series are missing in the others.

    """
    if FIGURES.folder is None:
        return {}, 0
    unreadable, unkept = {}, 0
    try:
        paths = sorted(FIGURES.folder.iterdir())
    except OSError as error:
        return {str(FIGURES.folder): str(error)}, 0
    for path in paths:
        if path.suffix != ".db" or path == FIGURES.path:
            continue
        try:
            content = figure_file.read(path)
            for key in content.rows:
                _series(key)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except (OSError, ValueError, TypeError) as error:
            unreadable[str(path)] = str(error)
            continue
        unkept += content.unkept
        for key, row in content.rows.items():
            sums[key] += row.value
    return unreadable, unkept


def _tell(unreadable: dict[str, str]) -> None:
    for path, reason in unreadable.items():
        if path not in _told:
            logger.error(
                "/metrics lacks the figures of %s: %s. Let this user read it, or delete it: "
                "a worker that is alive writes its own again", path, reason,
            )  # fmt: skip
    _told.intersection_update(unreadable)
    _told.update(unreadable)


class _Series(NamedTuple):
    type: str
    metric: str
    name: str
    labels: Labels
    help: str


@lru_cache(4096)
def _series(key: bytes) -> _Series:
    """Read the key of a series; raises ValueError or TypeError if it is none."""
    type_, metric, name, labels, text = json.loads(key)
    return _Series(type_, metric, name, tuple(labels.items()), text)


def _families(sums: dict[bytes, float]) -> list[Metric]:
    """Metrics with their samples; a histogram's buckets are counted from the smallest on."""
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
