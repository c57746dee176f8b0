"""The scoreboard as a table: one row for each generation."""

from collections.abc import Sequence

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from flashsale_local.live_page.elements import heading, paragraph
from flashsale_local.live_page.scoreboard import Score
from flashsale_local.live_page.shop import Channel
from flashsale_local.live_page.watch import Watch

TITLE = "Generations side by side"
NOTE = (
    "The last sale of each. Errors and p95 (95 % of the buyers waited no longer) are those of "
    "the buyers that this page sent."
)
COLUMNS = ("Sold", "Oversold", "Lost", "Errors", "p95")
NOTHING = "–"


class ScoreTable:
    """What became of the last sale of each generation."""

    def __init__(self, watch: Watch, channels: Sequence[Channel]) -> None:
        self._watch = watch
        self._cells: dict[str, list[TextElement]] = {}
        self._shown: dict[str, Score] = {}
        with ui.element("section").classes("box whole").props(f'aria-label="{TITLE}"'):
            heading(TITLE)
            paragraph(NOTE)
            with ui.element("table").classes("scores"):
                with ui.element("thead"), ui.element("tr"):
                    for name in ("Generation", *COLUMNS):
                        TextElement(tag="th", text=name).props("scope=col")
                with ui.element("tbody"):
                    for channel in channels:
                        self._row(channel)
        self.refresh()

    def _row(self, channel: Channel) -> None:
        with ui.element("tr"):
            with ui.element("th").props("scope=row"):
                TextElement(tag="strong", text=channel.name)
                TextElement(tag="span", text=channel.idea)
            self._cells[channel.name] = [TextElement(tag="td", text=NOTHING) for _ in COLUMNS]

    def refresh(self) -> None:
        """Show the scores that have changed."""
        for name, score in self._watch.scoreboard.scores.items():
            if self._shown.get(name) != score and name in self._cells:
                self._shown[name] = score
                for cell, text, bad in zip(
                    self._cells[name], _texts(score), _bad(score), strict=True
                ):
                    cell.text = text
                    cell.classes(**({"add": "bad"} if bad else {"remove": "bad"}))


def _texts(score: Score) -> list[str]:
    return [
        f"{score.sold:,} of {score.units:,}",
        f"{score.oversold:,}",
        "not yet known" if score.lost is None else f"{score.lost:,}",
        NOTHING if score.errors is None else f"{score.errors:,}",
        NOTHING if score.p95_ms is None else f"{score.p95_ms:,.0f} ms",
    ]


def _bad(score: Score) -> list[bool]:
    return [False, score.oversold > 0, bool(score.lost), bool(score.errors), False]
