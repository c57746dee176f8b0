"""What all parts of the page say alike. Text is a heading or a paragraph, never read as HTML."""

from collections.abc import Iterable

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


def heading(text: str, level: int = 2) -> TextElement:
    """A heading."""
    return TextElement(tag=f"h{level}", text=text)


def paragraph(text: str = "") -> TextElement:
    """A paragraph."""
    return TextElement(tag="p", text=text)


def show_busy(buttons: Iterable[ui.button], busy: str) -> None:
    """Say that buttons do nothing now. A disabled one leaves the tab order, and the focus goes."""
    for button in buttons:
        button.props(f"aria-disabled={'true' if busy else 'false'}")
