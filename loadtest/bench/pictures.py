"""Draws the pictures of the report as SVG files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.bench.results import GENERATIONS, Results, Sale
from loadtest.bench.sale import QUANTILES

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = {1: "#D55E00", 2: "#E69F00", 3: "#CC79A7", 4: "#0072B2", 5: "#009E73"}
EDGES = {"asgi": "ASGI edge", "lambda": "Lambda edge"}
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


def draw_all(results: Results, folder: Path) -> dict[str, str]:
    """Write all pictures, and return their captions by file name."""
    drawn = {}
    for picture, caption in CAPTIONS.items():
        with mpl.rc_context(STYLE):
            figure = picture(results)
            name = f"{picture.__name__.strip('_')}.svg"
            figure.savefig(folder / name, metadata={"Date": None}, facecolor="white")
        drawn[name] = caption
    return drawn


def _latency(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        points = [(s, p) for s, p in zip(_seconds(sale), sale.timeline.p95, strict=True) if p]
        _line(axes, sale, points)

    return _by_edge(results, draw, "seconds", "p95 of answers, ms", log="y")


def _distribution(results: Results) -> Figure:
    def draw(axes: Axes, sale: Sale) -> None:
        _line(axes, sale, list(zip(sale.quantiles, QUANTILES, strict=True)))

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
            _line(axes, sale, [(w.seconds, w.queue) for w in sale.watched if w.queue is not None])

    return _by_edge(results, draw, "seconds", "messages: waiting and in flight")


def _units(results: Results) -> Figure:
    figure, panels = _panels(results, "scarce", rows=1)
    for (axes,), sale in panels:
        axes.axhline(sale.units, color="grey", linestyle="--", linewidth=0.8)
        step = sale.timeline.step
        accepted = [sum(sale.timeline.accepted[: n + 1]) * step for n in range(len(_seconds(sale)))]
        axes.plot(_seconds(sale), accepted, color="black", linewidth=1, label="accepted")
        _watched(axes, sale, "confirmed", COLOURS[sale.generation])
        _watched(axes, sale, "stock", "grey")
    panels[0][0][0].set_ylabel("units")
    panels[0][0][0].legend()
    return figure


def _outage(results: Results) -> Figure:
    figure, panels = _panels(results, "outage", rows=2)
    for (above, below), sale in panels:
        for axes in (above, below):
            if sale.fault:
                axes.axvspan(sale.fault.begin, sale.fault.end, color="grey", alpha=0.25)
        colour = COLOURS[sale.generation]
        above.plot(_seconds(sale), sale.timeline.accepted, color=colour, label="accepted")
        above.plot(_seconds(sale), sale.timeline.failed, color="black", linewidth=0.8, label="5xx")
        _watched(below, sale, "confirmed", colour)
    panels[0][0][0].set_ylabel("per second")
    panels[0][0][0].legend()
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


def _watched(axes: Axes, sale: Sale, what: str, colour: str) -> None:
    seen = [(w.seconds, getattr(w, what)) for w in sale.watched if getattr(w, what) is not None]
    axes.plot(*zip(*seen, strict=True), color=colour, label=what)


def _line(axes: Axes, sale: Sale, points: Sequence[tuple[float, float]]) -> None:
    if points:
        name = f"V{sale.generation}"
        axes.plot(*zip(*points, strict=True), color=COLOURS[sale.generation], label=name)


def _seconds(sale: Sale) -> list[float]:
    return [sale.timeline.step * (n + 0.5) for n in range(len(sale.timeline.offered))]


# Captions in the order of the report.
CAPTIONS: dict[Callable[[Results], Figure], str] = {
    _units: (
        "Units over time, scarce stock: what buyers were told, what was written, what was left"
    ),
    _latency: "95 of 100 answers came within this time; abundant stock, the spike over time",
    _distribution: (
        "How many of 100 answers came within a time; abundant stock, throttled ones left out"
    ),
    _offered: (
        "Accepted against offered per second; abundant stock, a point for each step of the spike"
    ),
    _queue: "Messages in the queue; abundant stock. A message of V5 holds up to 200 claims",
    _outage: "PostgreSQL is stopped (grey) in the middle of a sale, ASGI edge",
}
