"""What a dashboard is made of."""

from dataclasses import dataclass, field

WINDOW = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        unit: an id of Grafana's units, such as reqps.
        queries: PromQL by legend.
        kind: timeseries, or stat for one figure.
        bad_from: the value from which it is red.

    """

    title: str
    unit: str
    queries: dict[str, str]
    kind: str = "timeseries"
    bad_from: float | None = None


@dataclass(frozen=True)
class Dashboard:
    """One dashboard; `variables` are queries for the values of $name."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: dict[str, str] = field(default_factory=dict)


def rate(metric: str) -> str:
    """Per second, over a window that fits the scrapes and the screen."""
    return f"rate({metric}{WINDOW})"


def stat(title: str, unit: str, query: str, bad_from: float | None = None) -> Panel:
    """One figure."""
    return Panel(title, unit, {"": query}, "stat", bad_from)


def quantiles(matchers: str, by: str = "edge") -> dict[str, str]:
    """p50, p95 and p99 of the time to answer."""
    buckets = f"sum by (le, {by}) ({rate(f'flashsale_http_request_seconds_bucket{matchers}')})"
    return {
        f"p{percent} {{{{{by}}}}}": f"histogram_quantile({percent / 100}, {buckets})"
        for percent in (50, 95, 99)
    }
