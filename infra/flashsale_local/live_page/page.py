"""The widgets of the live page, and what each shows. The rules of the sale are elsewhere."""

from pathlib import Path
from typing import Protocol

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.charts import CHARTS, ORDERS, STOCK, Chart
from flashsale_local.live_page.controls import ByHand, Holds, News, Spikes
from flashsale_local.live_page.elements import heading, paragraph
from flashsale_local.live_page.failed_table import FailedTable
from flashsale_local.live_page.room import RoomLine
from flashsale_local.live_page.score_table import ScoreTable
from flashsale_local.live_page.shop import CHANNELS
from flashsale_local.live_page.watch import Watch

STYLE = Path(__file__).with_name("style.css")
# Seconds between two updates of what is shown.
REFRESH = 0.5


class Part(Protocol):
    """A part of the page that follows the watch."""

    def refresh(self) -> None:
        """Show what has changed."""


def build(watch: Watch, actions: Actions | None, read_only_reason: str) -> None:
    """Fill one visitor's page. Without `actions` it shows the reason instead of buttons."""
    ui.add_css(STYLE)
    ui.colors(primary="#1d4ed8", negative="#b3261e")
    parts: list[Part] = [Chooser(watch), VerdictBanner(watch), RoomLine(watch)]
    # On a phone, the first chart comes before the buttons.
    with ui.element("div").classes("cards"):
        parts.append(LiveChart(watch, ORDERS))
        if actions:
            parts.append(Spikes(watch, actions))
        else:
            paragraph(f"This page is read-only: {read_only_reason}.").classes("box")
    if actions:
        parts.append(News(watch, actions))
    with ui.element("div").classes("cards"):
        parts.append(LiveChart(watch, STOCK))
        if actions:
            parts.append(Holds(watch, actions))
    parts.append(ScoreTable(watch, actions.channels if actions else CHANNELS))
    with ui.element("div").classes("cards"):
        parts += [LiveChart(watch, chart) for chart in CHARTS]
    if actions:
        parts.append(ByHand(watch, actions))
    parts.append(FailedTable(watch, actions))

    def refresh() -> None:
        for part in parts:
            part.refresh()

    ui.timer(REFRESH, refresh)


class Chooser:
    """The product that is watched, and whether the page follows the sales that others open."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        with ui.element("div").classes("row-of top"):
            heading("flashsale, live", 1)
            self._product = ui.select(
                [], label="Product", on_change=lambda e: watch.choose_by_hand(e.value or "")
            )
            self._product.classes("grow").props("outlined dense options-dense behavior=menu")
            self._following = ui.switch("Follow new sales", on_change=self._follow)

    def _follow(self, event: ValueChangeEventArguments[bool | None]) -> None:
        self._watch.following.on = bool(event.value)

    def refresh(self) -> None:
        """Show the list of products, the chosen one, and whether the page follows."""
        watch, product = self._watch, self._product
        if product.options != watch.products:
            product.set_options(list(watch.products))
        if watch.chosen in watch.products and product.value != watch.chosen:
            product.value = watch.chosen
        self._following.value = watch.following.on


class VerdictBanner:
    """The verdict in large letters. A screen reader announces each change."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        with ui.element("section").classes("verdict") as self._box:
            self._box.props('aria-label="Verdict"')
            self._headline = paragraph().classes("headline").props("role=status aria-live=polite")
            self._detail = paragraph()
        self.refresh()

    def refresh(self) -> None:
        """Show the verdict on the last reading."""
        verdict = self._watch.verdict
        self._box.props(f"data-status={verdict.status}")
        self._headline.text = verdict.headline
        self._detail.text = verdict.detail


class LiveChart:
    """One chart. It is redrawn when there is a new reading."""

    def __init__(self, watch: Watch, chart: Chart) -> None:
        self._watch, self._chart, self._last_drawn = watch, chart, -1.0
        with ui.element("section").classes("box"):
            heading(f"{chart.title}, {chart.unit}")
            self._drawn = ui.echart(chart.options([]), renderer="svg").classes("chart")
            self._drawn.props("role=img")
        self.refresh()

    def refresh(self) -> None:
        """Redraw if there is a new reading."""
        history = list(self._watch.history)
        last = history[-1].at if history else 0.0
        if last == self._last_drawn:
            return
        self._last_drawn = last
        self._drawn.props["aria-label"] = self._chart.as_text(history)
        self._drawn.options["series"] = self._chart.options(history)["series"]
        self._drawn.update()
