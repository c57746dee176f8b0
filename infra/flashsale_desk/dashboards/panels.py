"""The parts of a dashboard, and the queries that panels share."""

from dataclasses import dataclass, field

PRODUCT = '{product=~"$product"}'
WINDOW = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """A panel.

    Attributes:
        unit: the id of a unit in Grafana, such as reqps.
        queries: PromQL by legend.
        kind: timeseries, stat for one number, table for one row a product, or row for a headline
            above the next panels.
        bad_from: the value from which the panel is red.

    """

    title: str
    unit: str
    queries: dict[str, str]
    kind: str = "timeseries"
    bad_from: float | None = None


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; `variables` are queries for the values of $name."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: dict[str, str] = field(default_factory=dict)


def rate(metric: str) -> str:
    """Return the query of a rate per second, over a window that fits scrapes and screen."""
    return f"rate({metric}{WINDOW})"


def stat(title: str, unit: str, query: str, bad_from: float | None = None) -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, unit, {"": query}, "stat", bad_from)


def row(title: str) -> Panel:
    """Return the headline of the panels that follow."""
    return Panel(title, "", {}, "row")


def table(title: str, unit: str, queries: dict[str, str]) -> Panel:
    """Return a table of the current values: one row a product, one column a query.

    Args:
        queries: by column. Each result has the label `product`, and no other.

    """
    return Panel(title, unit, queries, "table")


def quantiles(matchers: str, by: str = "edge") -> dict[str, str]:
    """Return queries of p50, p95 and p99 of the time to answer, by legend."""
    buckets = f"sum by (le, {by}) ({rate(f'flashsale_http_request_seconds_bucket{matchers}')})"
    return {
        f"p{percent} {{{{{by}}}}}": f"histogram_quantile({percent / 100}, {buckets})"
        for percent in (50, 95, 99)
    }
