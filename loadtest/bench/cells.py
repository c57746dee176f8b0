"""What the tables of the report consist of: rows of cells, and how a cell shows a figure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """A figure of each generation. `original` holds what the original's author reports."""

    name: str
    cells: list[str]
    original: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """Rows below a title, and perhaps a sentence that says what they mean."""

    title: str
    rows: list[Row]
    note: str = ""


def cell(values: Sequence[float | None], unit: str = "") -> str:
    """Return the median of the repeats, and min – max where they differ."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    middle = f"{_figure(statistics.median(known))}{unit}"
    if max(known) == min(known):
        return middle
    return f"{middle} ({_figure(min(known))} – {_figure(max(known))})"


def _figure(value: float) -> str:
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"
