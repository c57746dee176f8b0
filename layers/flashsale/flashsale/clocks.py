"""Elapsed time in a process that may be frozen, as a Lambda function is between two requests."""

import time

# By CLOCK_MONOTONIC and by the wall clock, in seconds. CLOCK_MONOTONIC may stand still while the
# process is frozen, and a wall clock may be set back. So the clock that shows more elapsed time
# counts.
Moment = tuple[float, float]


def now() -> Moment:
    """Return the time by both clocks."""
    return time.monotonic(), time.time()


def elapsed(start: Moment, end: Moment) -> float:
    """Return the seconds between two moments."""
    return max(end[0] - start[0], end[1] - start[1])


def since(then: Moment) -> float:
    """Return the seconds since a moment."""
    return elapsed(then, now())
