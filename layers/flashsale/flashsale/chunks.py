"""Cut long sequences into chunks, so that no script and no transaction takes long."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield chunks of `size` items. The last chunk may be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
