"""Reads the summary that k6 wrote, and finds what is wrong with it or with the books."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flashsale.usecases.books import Books
from flashsale_local.sale.answers import AnswerKind

# Share of all purchases that may stay unsent. spike.js has the same value.
MOST_UNSENT = 0.01


@dataclass(frozen=True)
class Threshold:
    """A threshold of the service level, its value, and whether it was kept."""

    name: str
    value: float
    kept: bool


@dataclass(frozen=True)
class Summary:
    """The summary that `spike.js` writes at its end.

    Attributes:
        unsent: attempts that were due while all of k6's buyers waited for an answer.
        accepted_ms: p50, p95, p99 and max of the latency of accepted attempts, in milliseconds.

    """

    seconds: float
    outcomes: Mapping[AnswerKind, int]
    unsent: int
    accepted_ms: Mapping[str, float]
    thresholds: tuple[Threshold, ...]

    @property
    def attempts(self) -> int:
        """The number of purchases that were sent."""
        return sum(self.outcomes.values())

    @property
    def due(self) -> int:
        """The number of purchases that the profile asked for."""
        return self.attempts + self.unsent


@dataclass(frozen=True)
class Result:
    """A spike with its books before and after.

    Attributes:
        left: messages and unsettled claims that were left at the deadline.
        settling: seconds from the end of k6 until nothing was on its way.

    """

    summary: Summary
    before: Books
    after: Books
    left: int
    settling: float


def figures(result: Result) -> dict[str, Any]:
    """Return the result as a JSON object."""
    summary = result.summary
    return {
        "seconds": summary.seconds,
        "attempts": summary.attempts,
        "unsent": summary.unsent,
        "outcomes": {kind.name.lower(): count for kind, count in summary.outcomes.items()},
        "answered_per_second": summary.attempts / summary.seconds,
        "accepted_ms": dict(summary.accepted_ms),
        "thresholds": [asdict(threshold) for threshold in summary.thresholds],
        "settled_after_seconds": result.settling,
        "left": result.left,
        "books": result.after.figures(),
        "findings": findings(result),
    }


def read_summary(path: Path) -> Summary:
    """Read the summary that `spike.js` wrote."""
    found = json.loads(path.read_text())
    return Summary(
        seconds=found["seconds"],
        outcomes={kind: found["outcomes"][kind.name.lower()] for kind in AnswerKind},
        unsent=found["unsent"],
        accepted_ms=found["accepted_ms"],
        thresholds=tuple(Threshold(**threshold) for threshold in found["thresholds"]),
    )


def findings(result: Result) -> list[str]:
    """Return what is wrong; [] if the service level was kept and the books balance."""
    summary, before, after = result.summary, result.before, result.after
    found = [
        f"The service level was missed: {threshold.name}; it was {threshold.value:.4g}."
        for threshold in summary.thresholds
        if not threshold.kept
    ]
    accepted = summary.outcomes[AnswerKind.ACCEPTED]
    found += unsent(summary)
    if before.stock and not accepted:
        found.append(f"No purchase was accepted, although there were {before.stock} units to sell.")
    return found + wrong_books(before, after, accepted, result.left)


def wrong_books(before: Books, after: Books, accepted: int, left: int) -> list[str]:
    """Return what is wrong with the books after so many accepted purchases."""
    found = []
    if after.oversold:
        found.append(f"{after.oversold} units were sold beyond the stock.")
    if after.lost:
        found.append(f"{after.lost} units are lost: neither in stock nor sold.")
    if (twice := -after.imbalance - after.oversold) > 0:
        found.append(f"{twice} units are sold and in stock at once.")
    if left:
        found.append(f"{left} messages and claims are still on their way.")
    written = after.confirmed + after.cancelled - before.confirmed - before.cancelled
    if written < accepted:
        found.append(f"{accepted - written} accepted purchases have no order.")
    return found


def unsent(summary: Summary) -> list[str]:
    """Return a finding if too many of the due purchases were not sent."""
    if not summary.due:
        return ["k6 sent no purchase at all, because SCALE makes each rate of the profile 0."]
    if summary.unsent <= MOST_UNSENT * summary.due:
        return []
    return [(
        f"k6 could not send {summary.unsent} of {summary.due} purchases "
        f"({summary.unsent / summary.due:.1%}, and at most {MOST_UNSENT:.0%} may be missing), "
        "because all its buyers waited for an answer. So this was not the load of the profile. "
        "Lower SCALE, or raise MAX_VUS if this machine has the memory for more buyers."
    )]  # fmt: skip
