"""The live page: widgets, and what each shows of the watch. No rules of the sale are here."""

from pathlib import Path
from typing import Protocol

from nicegui import ui

from flashsale_local.live_page.charts import CHARTS, Chart
from flashsale_local.live_page.controls import Hands
from flashsale_local.live_page.elements import heading, paragraph
from flashsale_local.live_page.failed_table import FailedTable
from flashsale_local.live_page.session import Visit
from flashsale_local.live_page.watch import Watch

STYLE = Path(__file__).with_name("style.css")
# Seconds between two updates of what is shown.
REFRESH = 0.5


class Part(Protocol):
    """What of the page follows the watch."""

    def refresh(self) -> None:
        """Show what has changed."""


def build(watch: Watch, visit: Visit | None, only_watches: str) -> None:
    """Fill one visitor's page; without a `visit` it `only_watches`, and says why."""
    ui.add_css(STYLE)
    ui.colors(primary="#1d4ed8", negative="#b3261e")
    with ui.element("div").classes("row-of"):
        heading("flashsale, live", 1)
        product = ui.select([], label="Product", on_change=lambda e: watch.choose(e.value or ""))
        product.classes("grow").props("outlined dense options-dense behavior=menu")
    parts: list[Part] = [Verdict(watch)]
    if visit:
        parts.append(Hands(watch, visit))
    else:
        paragraph(f"This page only watches: {only_watches}.")
    with ui.element("section").classes("cards").props('aria-label="Charts"'):
        parts += [LiveChart(watch, chart) for chart in CHARTS]
    parts.append(FailedTable(watch, visit))

    def refresh() -> None:
        _choose_from(product, watch)
        for part in parts:
            part.refresh()

    ui.timer(REFRESH, refresh)


def _choose_from(product: ui.select, watch: Watch) -> None:
    if product.options != watch.products:
        product.set_options(list(watch.products))
    if watch.chosen in watch.products and product.value != watch.chosen:
        product.value = watch.chosen


class Verdict:
    """The invariant in large, announced when it changes."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        with ui.element("section").classes("verdict") as self._box:
            self._box.props('aria-label="Verdict"')
            self._headline = paragraph().classes("headline").props("role=status aria-live=polite")
            self._detail = paragraph()
        self.refresh()

    def refresh(self) -> None:
        """Say the verdict on the last reading."""
        verdict = self._watch.verdict
        self._box.props(f"data-mood={verdict.mood}")
        self._headline.text = verdict.headline
        self._detail.text = verdict.detail


class LiveChart:
    """One chart, drawn anew when there is a new reading."""

    def __init__(self, watch: Watch, chart: Chart) -> None:
        self._watch, self._chart, self._seen = watch, chart, -1.0
        with ui.element("section").classes("box"):
            heading(f"{chart.title}, {chart.unit}")
            self._drawn = ui.echart(chart.options([]), renderer="svg").classes("chart")
            self._drawn.props("role=img")
        self.refresh()

    def refresh(self) -> None:
        """Draw what was seen since."""
        history = list(self._watch.history)
        last = history[-1].at if history else 0.0
        if last == self._seen:
            return
        self._seen = last
        self._drawn.props["aria-label"] = self._chart.in_words(history)
        self._drawn.options["series"] = self._chart.options(history)["series"]
        self._drawn.update()
