"""The products that were sold out a moment ago, so that a process can say so without Redis."""

from collections.abc import Callable

from flashsale import clocks

# Products that are remembered. Only products on sale are sold out, so there are few of them.
MOST = 1000


class SoldOut:
    """Answers "sold out" for a while after Redis gave that answer to a claim of one unit.

    Units that return are claimed later by that time at most. It never accepts a claim. Each process
    has one, and clears an entry at once if it gives units back itself.

    Args:
        milliseconds: how long an answer of Redis holds; 0 to ask Redis each time.
        now: the clocks.

    """

    def __init__(self, milliseconds: int, now: Callable[[], clocks.Moment] = clocks.now) -> None:
        self._seconds = milliseconds / 1000
        self._now = now
        self._seen: dict[str, tuple[int, clocks.Moment]] = {}

    def remember(self, product_id: str, generation: int) -> None:
        """Note that Redis has just refused one unit to this generation."""
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[product_id] = generation, self._now()

    def has(self, product_id: str, generation: int) -> bool:
        """Return whether Redis refused one unit to this generation a moment ago."""
        seen = self._seen.get(product_id)
        if seen is None or seen[0] != generation:
            return False
        return clocks.elapsed(seen[1], self._now()) < self._seconds

    def forget(self, product_id: str) -> None:
        """Let the next claim ask Redis, because this process has put units on sale."""
        self._seen.pop(product_id, None)
