"""How long the buyers of this page waited for their answers."""

import statistics
import time
from collections import deque
from collections.abc import Sequence

from flashsale_local.sale.load import Answer

# Seconds for which an answer is drawn. Readings come faster than answers.
WINDOW = 1.0


class Latency:
    """The answers of the last second."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, Answer]] = deque()

    def add(self, answer: Answer) -> None:
        """Count an answer from now on."""
        self._answers.append((time.monotonic(), answer))

    def recent_ms(self) -> tuple[float, float] | None:
        """Return median and 95th percentile, or None if no buyer got an answer."""
        begin = time.monotonic() - WINDOW
        while self._answers and self._answers[0][0] < begin:
            self._answers.popleft()
        return percentiles_ms([answer for _, answer in self._answers])


def percentiles_ms(answers: Sequence[Answer]) -> tuple[float, float] | None:
    """Return median and 95th percentile in milliseconds, or None without answers."""
    seconds = [answer.seconds for answer in answers]
    if not seconds:
        return None
    cuts = statistics.quantiles([*seconds, seconds[-1]], n=20, method="inclusive")
    return cuts[9] * 1000, cuts[18] * 1000
