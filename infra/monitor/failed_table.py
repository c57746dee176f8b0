"""Messages that failed, in a table: look at one, or send a queue's back."""

from typing import Any

from nicegui import ui

from infra.failed import SOURCES, FailedMessage
from infra.monitor.visit import Visit
from infra.monitor.watch import Watch
from infra.monitor.words import heading, paragraph

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
                if visit:
                    for queue in SOURCES:
                        _redrive_button(visit, queue)
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
        async with self._watch.target.services() as services:
            await self._watch.look_at_failed(services)


def _redrive_button(visit: Visit, queue: str) -> None:
    button = ui.button(f"Redrive {queue} to {SOURCES[queue]}", color=None).props("no-caps outline")
    button.on_click(lambda: visit.redrive(queue))


def _row(message: FailedMessage) -> dict[str, Any]:
    cause = message.cause or "unknown; see flashsale logs"
    return {
        "id": message.id, "queue": message.queue, "receives": message.receives, "cause": cause
    }  # fmt: skip
