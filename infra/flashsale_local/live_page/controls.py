"""The buttons of the page, and the results of pressing them."""

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.elements import (
    heading,
    main_button,
    paragraph,
    plain_button,
    show_busy,
)
from flashsale_local.live_page.payments import HOLD
from flashsale_local.live_page.shop import BUYERS, MAX_UNITS, UNITS, Channel
from flashsale_local.live_page.watch import Watch

WHILE_RUNNING = "then send a spike through V3, and one through V5."
WHILE_STOPPED = "and the waiting orders are written."


class Spikes:
    """Buttons that send a spike through a generation, and that stop or start PostgreSQL."""

    def __init__(self, watch: Watch, actions: Actions) -> None:
        self._watch, self._actions = watch, actions
        self._starts_postgres = False
        with ui.element("section").classes("box"):
            heading("Send a spike")
            paragraph(f"{BUYERS} buyers for {UNITS} units of a new product, through one generation")
            with ui.element("div").classes("spikes").props('role=group aria-label="Spike through"'):
                self._buttons = [self._spike_button(channel) for channel in actions.channels]
            with ui.element("div").classes("row-of"):
                self._postgres = plain_button("")
                self._hint = paragraph().classes("grow")
        self._buttons.append(self._postgres)
        # Do what the label said when it was pressed, even if the state has changed since.
        self._postgres.on_click(lambda: actions.switch_postgres(on=self._starts_postgres))
        self.refresh()

    def _spike_button(self, channel: Channel) -> ui.button:
        button = main_button("").classes("spike")
        button.props(f'aria-label="Spike through {channel.name}: {channel.idea}"')
        with button:
            TextElement(tag="strong", text=channel.name)
            TextElement(tag="span", text=channel.idea)
        button.on_click(lambda: self._actions.spike(channel))
        return button

    def refresh(self) -> None:
        """Show whether an action runs, and whether PostgreSQL does."""
        show_busy(self._buttons, self._watch.busy)
        self._starts_postgres = starts = not self._watch.postgres_up
        self._postgres.text = "Start PostgreSQL" if starts else "Stop PostgreSQL"
        self._postgres.classes(**({"remove": "stops"} if starts else {"add": "stops"}))
        self._hint.text = WHILE_STOPPED if starts else WHILE_RUNNING


class Holds:
    """Buttons that send a spike to a sale with a payment hold, and that pay for held orders."""

    def __init__(self, watch: Watch, actions: Actions) -> None:
        self._watch = watch
        with ui.element("section").classes("box"):
            heading("Sell with a payment hold")
            paragraph(
                f"V5 holds the units until they are paid. A buyer has {HOLD} s to pay. "
                f"{hold_grace()} s after that, what is unpaid comes back to the stock."
            )
            with ui.element("div").classes("row-of"):
                spike = main_button("Spike with a hold")
            with ui.element("div").classes("row-of"):
                one, all_ = plain_button("Pay one"), plain_button("Pay all")
                expire = plain_button("Let them expire")
            self._state = paragraph()
        self._buttons = [spike, one, all_, expire]
        spike.on_click(actions.spike_with_hold)
        one.on_click(lambda: actions.pay(1))
        all_.on_click(lambda: actions.pay(None))
        expire.on_click(actions.let_expire)
        self.refresh()

    def refresh(self) -> None:
        """Show whether an action runs, and what became of the held units."""
        show_busy(self._buttons, self._watch.busy)
        last = self._watch.history[-1] if self._watch.history else None
        units = last.figures if last else None
        self._state.text = (
            f"Units: {units.held:,} held until paid, {units.confirmed:,} confirmed, "
            f"{units.expired:,} not paid in time."
            if units
            else "Units: unknown."
        )


class News:
    """The results of the last actions."""

    def __init__(self, watch: Watch, actions: Actions) -> None:
        self._watch, self._actions = watch, actions
        with ui.element("section").classes("box whole"):
            heading("What happened")
            # A screen reader announces only the newest result. Older ones can be read again.
            with ui.element("div").props("role=log aria-live=polite"):
                self._newest = paragraph("Nothing yet. Begin with a spike through V1.")
                self._newest.classes("newest")
            self._older = ui.element("div").classes("older")
        self._shown: list[str] = []
        self.refresh()

    def refresh(self) -> None:
        """Show the running action and the last results."""
        busy = self._watch.busy
        texts = [*([f"{busy} …"] if busy else []), *self._actions.results]
        if texts and texts != self._shown:
            self._shown = texts
            self._newest.text = texts[0]
            self._older.clear()
            with self._older:
                for text in texts[1:]:
                    paragraph(text)


class ByHand:
    """Fields and buttons that open a sale and buy one unit."""

    def __init__(self, watch: Watch, actions: Actions) -> None:
        self._watch = watch
        channels = actions.channels
        names = {index: channel.name for index, channel in enumerate(channels)}
        with ui.element("section").classes("box whole"):
            heading("Or sell by hand")
            with ui.element("div").classes("row-of"):
                units = ui.number("Units", value=UNITS, min=1, max=MAX_UNITS, precision=0)
                seller = ui.select(names, value=len(names) - 1, label="Sold by")
                for field in (units, seller):
                    field.classes("grow").props("outlined dense").style("flex-basis: 110px")
                opening, buying = plain_button("Open a sale"), plain_button("Buy one")
        self._buttons = [opening, buying]
        opening.on_click(lambda: actions.open_sale(channels[seller.value], _clamp(units.value)))
        buying.on_click(actions.buy_one)
        self.refresh()

    def refresh(self) -> None:
        """Show whether an action runs."""
        show_busy(self._buttons, self._watch.busy)


def _clamp(units: float | None) -> int:
    return min(MAX_UNITS, max(1, int(units or 1)))
