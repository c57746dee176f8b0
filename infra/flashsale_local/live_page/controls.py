"""The buttons of the page, and what came of them."""

from nicegui import ui

from flashsale_local.live_page.elements import heading, paragraph, show_busy
from flashsale_local.live_page.session import Visit
from flashsale_local.live_page.shop import BUYERS, MOST_UNITS, UNITS, Way
from flashsale_local.live_page.watch import Watch


class Hands:
    """Open a sale, buy one, send a spike, stop and start PostgreSQL."""

    def __init__(self, watch: Watch, visit: Visit) -> None:
        self._watch, self._visit = watch, visit
        self._buttons: list[ui.button] = []
        self._starts = False
        with ui.element("div").classes("cards"):
            self._spikes()
            self._sale()
        with ui.element("section").classes("box whole"):
            heading("What happened")
            # Only what is new is announced; what was said before is there to read again.
            with ui.element("div").props("role=log aria-live=polite"):
                self._newest = paragraph("Nothing yet. Begin with a spike through V1.")
                self._newest.classes("newest")
            self._older = ui.element("div").classes("older")
        self._told: list[str] = []
        self.refresh()

    def _spikes(self) -> None:
        with ui.element("section").classes("box"):
            heading("Send a spike")
            paragraph(
                f"{BUYERS} buyers for {UNITS} units of a new product, through one generation:"
            )
            with ui.element("div").classes("row-of").props('role=group aria-label="Spike through"'):
                for way in self._visit.ways:
                    self._spike_button(way)
            with ui.element("div").classes("row-of"):
                self._postgres = self._button("Stop PostgreSQL").props("color=negative")
                # What the label promised when it was pressed, whatever is true by then.
                self._postgres.on_click(lambda: self._visit.switch_postgres(on=self._starts))

    def _spike_button(self, way: Way) -> None:
        button = self._button(way.name).props(f'aria-label="Spike through {way.name}"')
        button.on_click(lambda: self._visit.spike(way))

    def _sale(self) -> None:
        ways = {index: way.name for index, way in enumerate(self._visit.ways)}
        with ui.element("section").classes("box"):
            heading("Or sell by hand")
            with ui.element("div").classes("row-of"):
                units = ui.number("Units", value=UNITS, min=1, max=MOST_UNITS, precision=0)
                by = ui.select(ways, value=len(ways) - 1, label="Sold by")
                for field in (units, by):
                    field.classes("grow").props("outlined dense").style("flex-basis: 110px")
            with ui.element("div").classes("row-of"):
                opening = self._button("Open a sale")
                buying = self._button("Buy one")
        opening.on_click(
            lambda: self._visit.open_sale(self._visit.ways[by.value], _units(units.value))
        )
        buying.on_click(self._visit.buy_one)

    def _button(self, label: str) -> ui.button:
        button = ui.button(label).props("no-caps unelevated color=primary")
        self._buttons.append(button)
        return button

    def refresh(self) -> None:
        """Show what is being done, what was done, and whether PostgreSQL runs."""
        busy = self._watch.busy
        show_busy(self._buttons, busy)
        self._starts = not self._watch.postgres_up
        self._postgres.text = "Start PostgreSQL" if self._starts else "Stop PostgreSQL"
        told = [*([f"{busy} …"] if busy else []), *self._visit.news]
        if told and told != self._told:
            self._told = told
            self._newest.text = told[0]
            self._older.clear()
            with self._older:
                for sentence in told[1:]:
                    paragraph(sentence)


def _units(value: float | None) -> int:
    return min(MOST_UNITS, max(1, int(value or 1)))
