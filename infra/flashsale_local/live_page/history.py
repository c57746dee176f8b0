"""The readings of one sale, in a size that does not depend on how often they are taken."""

from collections import deque

from flashsale_local.live_page.reading import Reading
from flashsale_local.live_page.verdict import is_at_rest, state

# The number of readings that are kept: a minute or more of a sale that moves at each reading.
KEPT = 600
# Seconds without a reading after which a chart must not draw a line.
GAP = 3.0


class History:
    """The last readings of a sale, newest last.

    Of readings that show the same, only the first and the last are kept, because a chart draws the
    same line through them.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.readings: deque[Reading] = deque(maxlen=kept)
        self._still: Reading | None = None  # the first reading since a unit moved

    @property
    def last(self) -> Reading | None:
        """The newest reading."""
        return self.readings[-1] if self.readings else None

    def clear(self) -> None:
        """Forget all readings, because another sale is read now."""
        self.readings.clear()
        self._still = None

    def earlier(self, seen: Reading) -> Reading | None:
        """Return the reading with which this one is compared to find whether a unit moves.

        The queues must have been looked at again after it. Otherwise an order that was on its way
        into a queue would be seen in neither reading.
        """
        still = self._still
        return still if still and seen.looked_at >= still.at else None

    def add(self, seen: Reading, *, buying: bool) -> None:
        """Add a reading.

        Args:
            buying: whether this page's buyers are sending requests for the product.

        """
        last = self.last
        at_rest = is_at_rest(seen, self.earlier(seen), buying=buying)
        seen = seen.resting(at_rest=at_rest)
        if self._still is None or state(self._still) != state(seen):
            self._still = seen
        if last and seen.at - last.at > GAP:
            self.readings.append(Reading((last.at + seen.at) / 2))
        elif self._ends_with_two_like(seen):
            self.readings.pop()
        self.readings.append(seen)

    def _ends_with_two_like(self, seen: Reading) -> bool:
        return len(self.readings) > 1 and (
            self.readings[-1].drawn == self.readings[-2].drawn == seen.drawn
        )
