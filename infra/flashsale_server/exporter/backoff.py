"""A pause after work that a store did for the exporter, in proportion to the time that it took."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flashsale.errors import ServiceUnavailable

# The pause is this many times as long as the work. Reading the books takes PostgreSQL some 80 ms
# for 100,000 orders, so the exporter uses at most 5 % of its time.
FACTOR = 20
# Seconds, less than an alert waits: the result of one read must not raise an alert alone.
LONGEST = 30.0


class Backoff:
    """Tells when the next read is due. Work that failed or was cut short counts as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = -math.inf

    @property
    def is_over(self) -> bool:
        """Whether the next read is due."""
        return self._clock() >= self._until

    @contextmanager
    def after(self) -> Iterator[None]:
        """Pause after the block, in proportion to its time.

        The time that the block waited for a store that is down does not count.
        """
        started = self._clock()
        try:
            yield
        except ServiceUnavailable:
            started = self._clock()
            raise
        finally:
            self._until = started + min(FACTOR * (self._clock() - started), LONGEST)
