"""Elements that several parts of the page use. Text is never interpreted as HTML."""

from collections.abc import Iterable

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


def heading(text: str, level: int = 2) -> TextElement:
    """Add a heading."""
    return TextElement(tag=f"h{level}", text=text)


def paragraph(text: str = "") -> TextElement:
    """Add a paragraph."""
    return TextElement(tag="p", text=text)


def main_button(text: str) -> ui.button:
    """Add a button in the accent colour."""
    return ui.button(text).props("no-caps unelevated color=primary")


def plain_button(text: str) -> ui.button:
    """Add a button in the colour of the text."""
    return ui.button(text, color=None).props("no-caps outline")


def show_busy(buttons: Iterable[ui.button], busy: str) -> None:
    """Mark buttons as disabled while an action runs.

    They stay enabled for the browser: a button that is really disabled leaves the tab order and
    loses the focus.
    """
    for button in buttons:
        button.props(f"aria-disabled={'true' if busy else 'false'}")
