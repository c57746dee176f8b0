"""A pause after work that another had to do for us, by what it took."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flashsale.errors import ServiceUnavailable

# What was worked for is asked for again after this many times as long: so it takes PostgreSQL, some
# 80 ms for 100,000 orders, 5 % of its time.
REST = 20
# Seconds, less than an alert waits: what one look saw must not raise it alone.
LONGEST = 30.0


class Rest:
    """Says when to ask again. Work that failed, or was cut short, is rested from as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = -math.inf

    @property
    def is_over(self) -> bool:
        """Whether to ask."""
        return self._clock() >= self._until

    @contextmanager
    def after(self) -> Iterator[None]:
        """Rest from what the block takes, but not from waiting for a store that is down."""
        started = self._clock()
        try:
            yield
        except ServiceUnavailable:
            started = self._clock()
            raise
        finally:
            self._until = started + min(REST * (self._clock() - started), LONGEST)
