"""The waiting room of the product that the page shows."""

from nicegui import ui

from flashsale.domain.room_figures import RoomFigures, RoomTrouble
from flashsale.domain.rooms import Why
from flashsale_local.live_page.elements import heading, paragraph
from flashsale_local.live_page.watch import Watch

WHY = {
    Why.NOBODY: "everybody who waits was called",
    Why.RATE: "limited by the rate",
    Why.INSIDE: "limited by the users inside",
    Why.STOCK: "limited by the stock",
    Why.PIPELINE: "slower, because orders are late",
    Why.PAUSED: "paused",
}
TROUBLE = {
    RoomTrouble.PAUSED: "Users have waited for long: see RoomPaused in the runbook.",
    RoomTrouble.STUCK: "It could call, and does not: see RoomStuck in the runbook.",
}


class RoomLine:
    """A line with who waits and who is inside. It is hidden if the product has no room."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        with ui.element("section").classes("box whole") as self._box:
            heading("Waiting room")
            self._line = paragraph()
        self.refresh()

    def refresh(self) -> None:
        """Show the last reading."""
        history = self._watch.history
        figures = history[-1].room if history else None
        self._box.set_visibility(figures is not None)
        if figures:
            self._line.text = described(figures)


def described(room: RoomFigures) -> str:
    """Return what there is to say of a room."""
    calls = "no calls" if room.why is Why.PAUSED else f"{room.rate * 60:,.0f} calls a minute"
    line = (
        f"{room.waiting:,} waiting, {room.inside:,} of {room.max_inside:,} inside, "
        f"{calls}: {WHY[room.why]}."
    )
    return f"{line} {TROUBLE[room.trouble]}" if room.trouble else line
