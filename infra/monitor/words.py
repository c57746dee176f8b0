"""Text on the page as what it is: headings and paragraphs. It is never read as HTML."""

from nicegui.elements.mixins.text_element import TextElement


def heading(text: str, level: int = 2) -> TextElement:
    """A heading."""
    return TextElement(tag=f"h{level}", text=text)


def paragraph(text: str = "") -> TextElement:
    """A paragraph."""
    return TextElement(tag="p", text=text)
