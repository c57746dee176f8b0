"""A table of messages that failed, with buttons to read one and to redrive a queue."""

from typing import Any

from nicegui import ui

from flashsale_local.live_page.actions import Actions
from flashsale_local.live_page.elements import heading, paragraph, plain_button, show_busy
from flashsale_local.live_page.expected_errors import EXPECTED_ERRORS
from flashsale_local.live_page.queue_look import MAX_MESSAGES
from flashsale_local.live_page.watch import Watch
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
    """The messages in `dlq` and `parking`."""

    def __init__(self, watch: Watch, actions: Actions | None) -> None:
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
                if not watch.peeking_is_free:
                    plain_button("Load messages").on_click(self._load)
                self._redrives = [_redrive_button(actions, queue) for queue in SOURCES if actions]
            self._note = paragraph()
        with ui.dialog() as self._dialog, ui.card():
            self._dialog.props('aria-label="One message"')
            self._heading = heading("")
            self._cause = paragraph()
            self._body = paragraph().classes("body")
            ui.button("Close", on_click=self._dialog.close).props("no-caps")

    def refresh(self) -> None:
        """Show the messages that were read last."""
        if self._watch.failed != self._shown:
            self._shown = self._watch.failed
            self._table.rows = [_row(message) for message in self._shown]
        show_busy(self._redrives, self._watch.busy)
        self._note.text = self._error or _omitted(self._watch)

    def _open(self, row: dict[str, Any]) -> None:
        found = [m for m in self._watch.failed if m.id == row["id"]]
        if not found:
            return  # the message has left the queue in the meantime
        message = found[0]
        self._heading.text = f"{message.id} in {message.queue}, received {message.receives} times"
        self._cause.text = message.cause or "No cause was recorded."
        self._body.text = message.body
        self._dialog.open()

    async def _load(self) -> None:
        try:
            async with self._watch.target.services() as services:
                await self._watch.peek_at_failed(services)
            self._error = ""
        except EXPECTED_ERRORS as error:
            self._error = f"The messages could not be read: {error}"


def _omitted(watch: Watch) -> str:
    depths = watch.history[-1].depths if watch.history else {}
    return " ".join(
        f"The first {shown} of {depths[queue].total} messages in {queue} are shown."
        for queue in SOURCES
        if (shown := sum(message.queue == queue for message in watch.failed)) >= MAX_MESSAGES
        and queue in depths
        and depths[queue].total > shown
    )


def _redrive_button(actions: Actions, queue: str) -> ui.button:
    button = plain_button(f"Redrive {queue} to {SOURCES[queue]}")
    button.on_click(lambda: actions.redrive(queue))
    return button


def _row(message: FailedMessage) -> dict[str, Any]:
    cause = message.cause or "unknown; see flashsale logs"
    return {
        "id": message.id, "queue": message.queue, "receives": message.receives, "cause": cause
    }  # fmt: skip
