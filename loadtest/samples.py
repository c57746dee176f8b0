"""The samples that a load client collects."""

import collections
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from flashsale_local.sale.answers import AnswerKind

NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One attempt.

    Attributes:
        due: when it was to be sent, in seconds after the start.
        seconds: from that moment until the answer.
        status: the HTTP status; 0 if no answer came.
        order_id: the order of an accepted attempt.
        database_failed: whether the answer was a 503 because of PostgreSQL.

    """

    due: float
    seconds: float
    status: int
    kind: AnswerKind
    order_id: str = ""
    database_failed: bool = False


@dataclass
class Load:
    """All attempts of a run, in order of their answers.

    Attributes:
        started: when the run began, in seconds since 1970.
        elapsed: seconds from the start to the last answer.
        dropped: attempts that were not made because all connections waited for answers.

    """

    started: float
    samples: list[Sample] = field(default_factory=list)
    elapsed: float = 0.0
    dropped: int = 0

    @property
    def statuses(self) -> collections.Counter[int]:
        """The number of answers by status."""
        return collections.Counter(sample.status for sample in self.samples)

    def count(self, kind: AnswerKind) -> int:
        """Return how many attempts had this outcome."""
        return sum(sample.kind is kind for sample in self.samples)

    def rate(self, status: int) -> float:
        """Return the answers with this status per second."""
        return self.statuses[status] / self.elapsed

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile of the latencies of all attempts, in milliseconds."""
        return percentile_ms((sample.seconds for sample in self.samples), percent)


def percentile_ms(seconds: Iterable[float], percent: float) -> float:
    """Return a percentile of durations, in milliseconds; NaN if there are none."""
    ordered = sorted(seconds)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def spread(values: Iterable[float], digits: int = 1) -> tuple[str, str]:
    """Format the median and the range of values for a table."""
    known = list(values)
    return (
        f"{statistics.median(known):,.{digits}f}",
        f"{min(known):,.{digits}f} – {max(known):,.{digits}f}",
    )
