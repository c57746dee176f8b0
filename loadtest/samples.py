"""What a load client saw."""

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
        due: seconds after the start at which it was to be sent.
        seconds: from then until its answer.
        status: of HTTP; 0 where no answer came.
        order_id: of an accepted one.
        database_failed: whether a 503 blamed PostgreSQL.

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
        started: when it began, in seconds since 1970.
        elapsed: seconds from its begin to its last answer.
        dropped: attempts that were never made, because all connections waited for answers.

    """

    started: float
    samples: list[Sample] = field(default_factory=list)
    elapsed: float = 0.0
    dropped: int = 0

    @property
    def statuses(self) -> collections.Counter[int]:
        """How often each status came."""
        return collections.Counter(sample.status for sample in self.samples)

    def count(self, kind: AnswerKind) -> int:
        """How many attempts ended in this."""
        return sum(sample.kind is kind for sample in self.samples)

    def rate(self, status: int) -> float:
        """Answers of this status per second."""
        return self.statuses[status] / self.elapsed

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the latencies of all attempts, in milliseconds."""
        return percentile_ms((sample.seconds for sample in self.samples), percent)


def percentile_ms(seconds: Iterable[float], percent: float) -> float:
    """A percentile of durations, in milliseconds; not a number where there are none."""
    ordered = sorted(seconds)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def spread(values: Iterable[float], digits: int = 1) -> tuple[str, str]:
    """Median, and min – max, as tables show them."""
    known = list(values)
    return (
        f"{statistics.median(known):,.{digits}f}",
        f"{min(known):,.{digits}f} – {max(known):,.{digits}f}",
    )
