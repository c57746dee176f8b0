"""The live charts as options of ECharts, and the same figures as text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flashsale_local.live_page.figures import Figures
from flashsale_local.live_page.reading import Reading

# NiceGUI evaluates a key that begins with a colon as JavaScript at each update. So the colours
# follow the light or dark mode of the system.
DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
INK = f"{DARK} ? '#d0d0d0' : '#404040'"
LIMIT = f"{DARK} ? '#e8ecf1' : '#1c2733'"
GRID = f"{DARK} ? '#444' : '#ddd'"
# Each colour has a contrast of at least 3:1 on its card (WCAG 1.4.11). Line styles tell the series
# apart without colours.
ON_DARK, ON_LIGHT = ("#3b82f6", "#f59e0b", "#a855f7"), ("#2563eb", "#b45309", "#9333ea")
LINES = ("solid", "dashed", "dotted")

Figure = Callable[[Reading], float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart.

    Attributes:
        figure: returns None where a reading has no value. The line then has a gap.
        limit: whether it is what the others must not cross.

    """

    name: str
    figure: Figure
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart over time."""

    title: str
    unit: str
    series: Sequence[Series]

    def options(self, history: Sequence[Reading]) -> dict[str, Any]:
        """Return the options of ECharts."""
        label = {":color": INK, "hideOverlap": True}
        clock = {**label, "formatter": "{HH}:{mm}:{ss}"}
        return {
            "animation": False,
            ":color": f"{DARK} ? {list(ON_DARK)} : {list(ON_LIGHT)}",
            # Half of a label of the clock fits beside the last tick.
            "grid": {"left": 12, "right": 30, "top": 32, "bottom": 4, "containLabel": True},
            "legend": {"top": 0, "left": 0, "textStyle": {":color": INK}, "itemWidth": 28},
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "time", "axisLabel": clock, "minInterval": 5000},
            "yAxis": {
                "type": "value",
                "min": 0,
                "minInterval": 1,
                "axisLabel": label,
                "splitLine": {"lineStyle": {":color": GRID}},
            },
            # The first line is wider, so that it stays visible where a later one covers it.
            "series": [
                _line(one, LINES[index], 5 if index == 0 else 2, history)
                for index, one in enumerate(self.series)
            ],
        }

    def as_text(self, history: Sequence[Reading]) -> str:
        """Return the last figures, for screen readers."""
        figures = (
            f"{one.name} {'unknown' if (last := _last(one, history)) is None else f'{last:.0f}'}"
            for one in self.series
        )
        return f"{self.title}, {self.unit}: {', '.join(figures)}"


def _line(one: Series, line: str, width: int, history: Sequence[Reading]) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": "line",
        "data": [[int(seen.at * 1000), one.figure(seen)] for seen in history],
        "symbol": "none",
        "lineStyle": {"width": width, "type": line, **({":color": LIMIT} if one.limit else {})},
        "itemStyle": {":color": LIMIT} if one.limit else {},
        "connectNulls": False,
    }


def _last(one: Series, history: Sequence[Reading]) -> float | None:
    return one.figure(history[-1]) if history else None


def _depth(queue: str) -> Figure:
    return lambda seen: seen.depths[queue].total if queue in seen.depths else None


def _units(figure: Callable[[Figures], int]) -> Figure:
    return lambda seen: figure(seen.figures) if seen.figures else None


def _confirmed(seen: Reading) -> float | None:
    return None if seen.orders_unseen or not seen.figures else seen.figures.confirmed


def _latency(index: int) -> Figure:
    return lambda seen: seen.latency_ms[index] if seen.latency_ms else None


ORDERS = Chart(
    "Orders",
    "units",
    [
        Series("taken", _units(lambda units: units.taken)),
        Series("confirmed", _confirmed),
        Series("supply", _units(lambda units: units.initial), limit=True),
    ],
)
STOCK = Chart(
    "Stock",
    "units",
    [
        Series("in stock", _units(lambda units: units.stock)),
        Series("held until paid", _units(lambda units: units.held)),
    ],
)
CHARTS = (
    Chart(
        "Queues", "messages", [Series(name, _depth(name)) for name in ("orders", "dlq", "parking")]
    ),
    Chart(
        "Latency of this page's buyers",
        "ms",
        [Series("p50", _latency(0)), Series("p95", _latency(1))],
    ),
)
