"""Messages that failed, in a table: look at one, or send a queue's back."""

from typing import Any

from nicegui import ui

from flashsale_local.live_page.elements import heading, paragraph, show_busy
from flashsale_local.live_page.reading import MESSAGES
from flashsale_local.live_page.session import Visit
from flashsale_local.live_page.watch import TROUBLE, Watch
from flashsale_local.queues.failed import SOURCES
from flashsale_server.queues.messages import FailedMessage

TITLE = "Messages that failed"
COLUMNS = [
    {"name": "queue", "label": "Queue", "field": "queue", "align": "left"},
    {"name": "receives", "label": "Received", "field": "receives", "align": "right"},
    {"name": "cause", "label": "Why it failed", "field": "cause", "align": "left"},
    {"name": "peek", "label": "Message", "field": "id", "align": "left"},
]
PEEK = """
<q-td :props="props">
  <q-btn no-caps outline label="Peek" :aria-label="'Peek at message ' + props.row.id"
    @click="() => $parent.$emit('peek', props.row)" />
</q-td>
"""


class FailedTable:
    """What waits in `dlq` and `parking`."""

    def __init__(self, watch: Watch, visit: Visit | None) -> None:
        self._watch = watch
        self._shown: list[FailedMessage] | None = None
        self._error = ""
        with ui.element("section").classes("box whole").props(f'aria-label="{TITLE}"'):
            heading(TITLE)
            self._table = ui.table(columns=COLUMNS, rows=[]).classes("whole")
            self._table.props("flat dense wrap-cells hide-pagination")
            self._table.add_slot("body-cell-peek", PEEK)
            self._table.add_slot("no-data", "None.")
            self._table.on("peek", lambda event: self._open(event.args))
            with ui.element("div").classes("row-of"):
                if not watch.looks_freely:
                    ui.button("Look", on_click=self._look, color=None).props("no-caps outline")
                self._redrives = [_redrive_button(visit, queue) for queue in SOURCES if visit]
            self._note = paragraph()
        with ui.dialog() as self._dialog, ui.card():
            self._dialog.props('aria-label="One message"')
            self._heading = heading("")
            self._cause = paragraph()
            self._body = paragraph().classes("body")
            ui.button("Close", on_click=self._dialog.close).props("no-caps")

    def refresh(self) -> None:
        """Show what was seen last."""
        if self._watch.failed != self._shown:
            self._shown = self._watch.failed
            self._table.rows = [_row(message) for message in self._shown]
        show_busy(self._redrives, self._watch.busy)
        self._note.text = self._error or _left_out(self._watch)

    def _open(self, row: dict[str, Any]) -> None:
        found = [m for m in self._watch.failed if m.id == row["id"]]
        if not found:
            return  # it has left in the meantime
        message = found[0]
        self._heading.text = f"{message.id} in {message.queue}, received {message.receives} times"
        self._cause.text = message.cause or "Nobody wrote down why it failed."
        self._body.text = message.body
        self._dialog.open()

    async def _look(self) -> None:
        try:
            async with self._watch.target.services() as services:
                await self._watch.look_at_failed(services)
            self._error = ""
        except TROUBLE as error:
            self._error = f"Looking failed: {error}"


def _left_out(watch: Watch) -> str:
    depths = watch.history[-1].depths if watch.history else {}
    return " ".join(
        f"The first {shown} of {depths[queue].total} messages in {queue} are shown."
        for queue in SOURCES
        if (shown := sum(message.queue == queue for message in watch.failed)) >= MESSAGES
        and queue in depths
        and depths[queue].total > shown
    )


def _redrive_button(visit: Visit, queue: str) -> ui.button:
    button = ui.button(f"Redrive {queue} to {SOURCES[queue]}", color=None).props("no-caps outline")
    button.on_click(lambda: visit.redrive(queue))
    return button


def _row(message: FailedMessage) -> dict[str, Any]:
    cause = message.cause or "unknown; see flashsale logs"
    return {
        "id": message.id, "queue": message.queue, "receives": message.receives, "cause": cause
    }  # fmt: skip
