"""The buttons of the page, and the results of pressing them."""

from nicegui import ui

from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.elements import heading, paragraph, show_busy
from flashsale_local.live_page.shop import BUYERS, MAX_UNITS, UNITS, Channel
from flashsale_local.live_page.watch import Watch


class Controls:
    """Buttons that open a sale, buy one, send a spike, and stop or start PostgreSQL."""

    def __init__(self, watch: Watch, actions: Actions) -> None:
        self._watch, self._actions = watch, actions
        self._buttons: list[ui.button] = []
        self._starts_postgres = False
        with ui.element("div").classes("cards"):
            self._spikes()
            self._sale()
        with ui.element("section").classes("box whole"):
            heading("What happened")
            # A screen reader announces only the newest result. Older ones can be read again.
            with ui.element("div").props("role=log aria-live=polite"):
                self._newest = paragraph("Nothing yet. Begin with a spike through V1.")
                self._newest.classes("newest")
            self._older = ui.element("div").classes("older")
        self._shown: list[str] = []
        self.refresh()

    def _spikes(self) -> None:
        with ui.element("section").classes("box"):
            heading("Send a spike")
            paragraph(f"{BUYERS} buyers for {UNITS} units of a new product, through one generation")
            with ui.element("div").classes("row-of").props('role=group aria-label="Spike through"'):
                for channel in self._actions.channels:
                    self._spike_button(channel)
            with ui.element("div").classes("row-of"):
                self._postgres = self._button("Stop PostgreSQL").props("color=negative")
                # Do what the label said when it was pressed, even if the state has changed since.
                self._postgres.on_click(
                    lambda: self._actions.switch_postgres(on=self._starts_postgres)
                )

    def _spike_button(self, channel: Channel) -> None:
        button = self._button(channel.name).props(f'aria-label="Spike through {channel.name}"')
        button.on_click(lambda: self._actions.spike(channel))

    def _sale(self) -> None:
        channels = self._actions.channels
        names = {index: channel.name for index, channel in enumerate(channels)}
        with ui.element("section").classes("box"):
            heading("Or sell by hand")
            with ui.element("div").classes("row-of"):
                units = ui.number("Units", value=UNITS, min=1, max=MAX_UNITS, precision=0)
                seller = ui.select(names, value=len(names) - 1, label="Sold by")
                for field in (units, seller):
                    field.classes("grow").props("outlined dense").style("flex-basis: 110px")
            with ui.element("div").classes("row-of"):
                opening = self._button("Open a sale")
                buying = self._button("Buy one")
        opening.on_click(
            lambda: self._actions.open_sale(channels[seller.value], _clamp(units.value))
        )
        buying.on_click(self._actions.buy_one)

    def _button(self, label: str) -> ui.button:
        button = ui.button(label).props("no-caps unelevated color=primary")
        self._buttons.append(button)
        return button

    def refresh(self) -> None:
        """Show the running action, the last results, and whether PostgreSQL runs."""
        busy = self._watch.busy
        show_busy(self._buttons, busy)
        self._starts_postgres = not self._watch.postgres_up
        self._postgres.text = "Start PostgreSQL" if self._starts_postgres else "Stop PostgreSQL"
        texts = [*([f"{busy} …"] if busy else []), *self._actions.results]
        if texts and texts != self._shown:
            self._shown = texts
            self._newest.text = texts[0]
            self._older.clear()
            with self._older:
                for text in texts[1:]:
                    paragraph(text)


def _clamp(units: float | None) -> int:
    return min(MAX_UNITS, max(1, int(units or 1)))
