"""Many things in parts of a bounded size, so that no script and no transaction takes long."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of `size`; the last one may be smaller."""
    for start in range(0, len(things), size):
        yield things[start : start + size]
