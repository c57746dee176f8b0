"""Reads what k6's buyers met in a waiting room, and finds what is wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flashsale.usecases.books import Books
from loadtest.spike.outcome import wrong_books
from loadtest.spike.polls import Calls, PollCost

# Redis commands of a poll. If it has any, they are 1 at least. Some hundredths are what else runs
# on the stack.
MOST_PER_POLL = 0.2


@dataclass(frozen=True)
class Estimates:
    """Estimates of the wait that clients were shown.

    Attributes:
        off: p50 and p95 of the seconds that they were off; None without any.
        in_range: share of them whose range the turn came in.

    """

    off: Mapping[str, float] | None
    in_range: float | None


@dataclass(frozen=True)
class RoomSummary:
    """The summary that `room.js` writes at its end.

    Attributes:
        counts: of buyers, polls and answers, by the name of the counter.
        waited: p50 and p95 of the seconds until a buyer was admitted.
        estimates: those of the first 15 seconds, and later ones.

    """

    seconds: float
    counts: Mapping[str, int]
    waited: Mapping[str, float] | None
    estimates: Mapping[str, Estimates]


@dataclass(frozen=True)
class RoomResult:
    """A spike on a room with its books before and after.

    Attributes:
        most_inside: users inside at once, by a look each 50 ms.
        polls: what polls cost Redis.
        calls: of Redis while k6 ran.
        left: messages and unsettled claims that were left at the deadline.

    """

    summary: RoomSummary
    most_inside: int
    max_inside: int
    polls: PollCost
    calls: Calls
    before: Books
    after: Books
    left: int

    @property
    def overshoot(self) -> int:
        """Users inside beyond the most that may be, and purchases without an admission."""
        beyond = max(0, self.most_inside - self.max_inside)
        return beyond + self.summary.counts["crashes_bought"]

    @property
    def refused_by_script(self) -> int:
        """Claims that reached claim.lua and got nothing."""
        return self.calls.claims - self.summary.counts["bought"]

    @property
    def refused_at_edge(self) -> int:
        """Claims that were refused without a question to Redis."""
        names = ("crashes_refused", "crashes_sold_out", "nothing_left", "admission_over")
        return sum(self.summary.counts[name] for name in names) - self.refused_by_script


def read_summary(path: Path) -> RoomSummary:
    """Read the summary that `room.js` wrote."""
    found = json.loads(path.read_text())
    seconds, waited = float(found.pop("seconds")), found.pop("waited_s")
    estimates = {
        when: Estimates(found.pop(f"{when}_off_s"), found.pop(f"{when}_in_range"))
        for when in ("early", "later")
    }
    return RoomSummary(seconds, found, waited, estimates)


def figures(result: RoomResult) -> dict[str, Any]:
    """Return the result as a JSON object."""
    summary = result.summary
    return {
        "seconds": summary.seconds,
        **summary.counts,
        "waited_s": summary.waited,
        "estimates": {when: asdict(one) for when, one in summary.estimates.items()},
        "most_inside": result.most_inside,
        "overshoot": result.overshoot,
        "redis_commands_per_poll": result.polls.per_poll,
        "refused_at_edge": result.refused_at_edge,
        "refused_by_script": result.refused_by_script,
        "left": result.left,
        "books": result.after.figures(),
        "findings": findings(result),
    }


def findings(result: RoomResult) -> list[str]:
    """Return what is wrong; [] if the room held and the books balance."""
    counts, found = result.summary.counts, []
    if result.most_inside > result.max_inside:
        found.append(f"{result.most_inside} were inside at once, and {result.max_inside} may be.")
    if crashed := counts["crashes_bought"]:
        found.append(f"{crashed} purchases were accepted without an admission.")
    if result.polls.per_poll > MOST_PER_POLL:
        found.append(f"A poll costs Redis {result.polls.per_poll:.2f} commands.")
    if wrong := counts["other_place"]:
        found.append(f"{wrong} buyers computed another place than the room told them.")
    if failed := counts["failed"]:
        found.append(f"{failed} requests failed or got no answer.")
    if result.before.stock and not counts["bought"]:
        found.append(f"Nobody bought, although there were {result.before.stock} units to sell.")
    return found + wrong_books(result.before, result.after, counts["bought"], result.left)
