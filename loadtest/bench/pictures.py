"""Draws the pictures of the report as SVG files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.bench import course
from loadtest.bench.course import Point
from loadtest.bench.results import GENERATIONS, Results, Sale
from loadtest.bench.sale import QUANTILES

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = {1: "#D55E00", 2: "#E69F00", 3: "#CC79A7", 4: "#0072B2", 5: "#009E73"}
EDGES = {"asgi": "ASGI edge", "lambda": "Lambda edge"}
JOINED = f"Dots are joined where not more than {course.LONGEST:.0f} s are between them."
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "flashsale",  # the same figures make the same file
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Caption:
    """The heading of a picture, and the sentence beside it."""

    heading: str
    sentence: str


def draw_all(results: Results, folder: Path) -> dict[str, Caption]:
    """Write all pictures, and return their captions by file name."""
    drawn = {}
    for picture, (heading, sentence) in CAPTIONS.items():
        with mpl.rc_context(STYLE):
            figure = picture(results)
            name = f"{picture.__name__.strip('_')}.svg"
            figure.savefig(folder / name, metadata={"Date": None}, facecolor="white")
        drawn[name] = Caption(heading, sentence(results))
    return drawn


def _latency(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        _line(axes, course.latency(sale), COLOURS[sale.generation], f"V{sale.generation}")

    return _by_edge(results, draw, "seconds", "p95 of answers, ms", log="y")


def _distribution(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        colour, name = COLOURS[sale.generation], f"V{sale.generation}"
        axes.plot(sale.quantiles, QUANTILES, color=colour, label=name)

    return _by_edge(results, draw, "ms", "% of answers", log="x")


def _offered(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        top = max(sale.timeline.offered)
        axes.plot([0, top], [0, top], color="grey", linewidth=0.8, linestyle="--")
        axes.scatter(
            sale.timeline.offered, sale.timeline.accepted, s=9,
            color=COLOURS[sale.generation], label=f"V{sale.generation}",
        )  # fmt: skip

    return _by_edge(results, draw, "offered per second", "accepted per second")


def _queue(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        if sale.generation >= 4:
            points = course.readings(sale, "queue")
            _line(axes, points, COLOURS[sale.generation], f"V{sale.generation}")

    return _by_edge(results, draw, "seconds", "messages: waiting and in flight")


def _units(results: Results) -> Figure:
    figure, panels = _panels(results, "scarce", rows=1)
    for (axes,), sale in panels:
        axes.axhline(sale.units, color="grey", linestyle="--", linewidth=0.8)
        colour = COLOURS[sale.generation]
        axes.plot(*_xy(course.units_accepted(sale)), color="black", linewidth=1, label="accepted")
        _line(axes, course.readings(sale, "confirmed"), colour, "confirmed")
        _line(axes, course.readings(sale, "stock"), "grey", "stock")
    panels[0][0][0].set_ylabel("units")
    panels[-1][0][0].legend(loc="best")
    return figure


def _outage(results: Results) -> Figure:
    figure, panels = _panels(results, "outage", rows=2)
    for (above, below), sale in panels:
        for axes in (above, below):
            if sale.fault:
                axes.axvspan(sale.fault.begin, sale.fault.end, color="grey", alpha=0.25)
        colour = COLOURS[sale.generation]
        above.plot(*_xy(course.accepted(sale)), color=colour, label="accepted")
        above.plot(*_xy(course.failed(sale)), color="black", linewidth=0.8, label="failed")
        _line(below, course.readings(sale, "confirmed"), colour, "confirmed")
    panels[0][0][0].set_ylabel("per second")
    panels[-1][0][0].legend(loc="best")
    panels[0][0][1].set_ylabel("orders in PostgreSQL")
    return figure


def _by_edge(
    results: Results, draw: Callable[[Axes, Sale], None], x: str, y: str, log: str = ""
) -> Figure:
    figure = Figure(figsize=(9, 3.4))
    for column, (edge, title) in enumerate(EDGES.items(), 1):
        axes = figure.add_subplot(1, 2, column, title=title, xlabel=x, ylabel=y)
        for generation in GENERATIONS:
            if sale := results.middle("abundant", edge, generation):
                draw(axes, sale)
        if log:
            (axes.set_xscale if log == "x" else axes.set_yscale)("log")
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    return figure


def _panels(
    results: Results, kind: str, rows: int
) -> tuple[Figure, list[tuple[Sequence[Axes], Sale]]]:
    """Make a column for each generation on the ASGI edge.

    Returns:
        The figure, and for each column its axes from top to bottom and its sale.

    """
    sales = [sale for g in GENERATIONS if (sale := results.middle(kind, "asgi", g))]
    figure = Figure(figsize=(9, 1.2 + 1.6 * rows))
    grid = figure.subplots(rows, len(sales), sharex="col", sharey="row", squeeze=False)
    for column, sale in enumerate(sales):
        grid[0, column].set_title(f"V{sale.generation}")
        grid[rows - 1, column].set_xlabel("seconds")
    return figure, [(list(grid[:, column]), sale) for column, sale in enumerate(sales)]


def _line(axes: Axes, points: Sequence[Point], colour: str, name: str) -> None:
    """Draw readings as dots. The dots are joined where nothing is missing between them."""
    if points:
        axes.plot(*_xy(points), color=colour, label=name, marker="o", markersize=1.8)


def _xy(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _say(sentence: str) -> Callable[[Results], str]:
    return lambda _: sentence


def _moment(results: Results, kind: str) -> str:
    """Say at which moment a purchase counts. Older results know only when it was due."""
    if all(s.timeline.accepted_at for s in results.sales if s.kind == kind):
        return "A purchase counts at the moment of its answer."
    return "A purchase counts when it was due, which may be seconds before its answer."


def _of_outage(results: Results) -> str:
    sales = [sale for g in GENERATIONS if (sale := results.middle("outage", "asgi", g))]
    told = ", ".join(f"{sale.accepted_during_fault:,} by V{sale.generation}" for sale in sales)
    return (
        f"Accepted while PostgreSQL was down: {told}. {_moment(results, 'outage')} "
        "The line of the orders is broken from the last reading before the outage to the first "
        "one after it."
    )


# Heading and sentence of each picture, in the order of the report.
CAPTIONS: dict[Callable[[Results], Figure], tuple[str, Callable[[Results], str]]] = {
    _units: (
        "Units over time, scarce stock: what buyers were told, what was written, what was left",
        lambda results: f"A dot is a reading. {JOINED} {_moment(results, 'scarce')}",
    ),
    _latency: (
        "95 of 100 answers came within this time; abundant stock, the spike over time",
        _say("A line is broken where no request was answered that was due at that time."),
    ),
    _distribution: (
        "How many of 100 answers came within a time; abundant stock, throttled ones left out",
        _say("A purchase without an answer counts with the 10 s that its buyer waited."),
    ),
    _offered: (
        "Accepted against offered per second; abundant stock, a point for each step of the spike",
        _say("On the dashed line every purchase is accepted."),
    ),
    _queue: (
        "Messages in the queue; abundant stock. A message of V5 holds up to 200 claims",
        _say(f"A dot is a reading. {JOINED}"),
    ),
    _outage: (
        "PostgreSQL is stopped (grey) in the middle of a sale, ASGI edge",
        _of_outage,
    ),
}
