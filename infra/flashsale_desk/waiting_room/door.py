"""The rules of lua/advance.lua, lua/admit.lua and a room's part of lua/claim.lua, in Python.

The names are those of the scripts, and times are ms as there. A test takes the scripts and this
module through the same steps and compares them, so change both together.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum

from flashsale.domain.rooms import Why

# An unsettled claim that is older means that orders are late: the rate falls.
LATE_MS = 2000
# The time whose calls are made up for at most, after nobody looked.
PASSED_MS = 10_000
ADAPT_MS = 1000


class Answer(StrEnum):
    """What a user is told who asks to be admitted."""

    ADMITTED = "admitted"
    WAITS = "waits"
    LAPSED = "lapsed"
    FULL = "full"


@dataclass
class Door:
    """The keys of one product. The rate is in calls a second.

    Attributes:
        at: when `advance` was called last.
        calls: when calls were made (up to a whole second), by what `serving` was afterwards.
        inside: users who are inside, and until when.
        used: users, and the place with which they were let in last.

    """

    stock: int
    max_rate: float
    max_inside: int
    admission_ms: int
    call_ms: int
    at: int
    rate: float
    adapted_at: int
    serving: int = 0
    carry: float = 0.0
    why: Why = Why.NOBODY
    calls: dict[int, int] = field(default_factory=dict)
    inside: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)

    @classmethod
    def opened(
        cls,
        stock: int,
        *,
        max_rate: float,
        max_inside: int,
        admission_ms: int,
        call_ms: int,
        now: int,
    ) -> "Door":
        """Return the door that open_sale.lua makes."""
        return cls(stock, max_rate, max_inside, admission_ms, call_ms, now, max_rate, now)

    def advance(self, now: int, places: int, age: int = 0) -> int:
        """Call as many as may come now; return how many.

        Args:
            places: how many there are that can be called, with those that were.
            age: ms since the oldest unsettled claim, 0 without one.

        """
        self._purge(now)
        passed = max(0, min(now - self.at, PASSED_MS))
        tokens = min(self.carry + self.rate * passed / 1000, max(1.0, 2 * self.rate))
        waiting = max(0, places - self.serving)
        by_stock = math.ceil(1.5 * self.stock)
        free = min(self.max_inside, by_stock) - len(self.inside)
        step = max(0, math.floor(min(tokens, free, waiting)))
        if waiting <= min(tokens, free):
            self.why = Why.NOBODY
        elif free <= tokens:
            self.why = Why.STOCK if by_stock < self.max_inside else Why.INSIDE
        else:
            self.why = Why.PIPELINE if age > LATE_MS else Why.RATE

        if not 0 <= now - self.adapted_at < ADAPT_MS:
            before = self.rate
            if age > LATE_MS:
                self.rate = max(min(0.5, self.max_rate), self.rate * 0.7)
            elif 0 < step >= math.floor(tokens):
                self.rate = min(self.max_rate, self.rate + max(1.0, self.rate * 0.05))
            if self.rate != before:
                self.adapted_at = now

        if step > 0:
            self.serving += step
            self.calls[math.ceil(now / 1000) * 1000] = self.serving
        self.at, self.carry = now, tokens - step
        return step

    def admit(self, now: int, user: int, place: int) -> Answer:
        """Let a called user in, if there is room."""
        self._purge(now)
        if user in self.inside:
            return Answer.ADMITTED
        if place >= self.serving:
            return Answer.WAITS
        times = list(self.calls)
        called = times[bisect_right(times, place, key=self.calls.__getitem__)]
        if place <= self.used.get(user, -1) or now - called > self.call_ms:
            return Answer.LAPSED
        if len(self.inside) >= min(self.max_inside, math.ceil(1.5 * self.stock)):
            return Answer.FULL
        self.inside[user] = now + self.admission_ms
        self.used[user] = place
        return Answer.ADMITTED

    def claim(self, now: int, user: int) -> bool | None:
        """Claim one unit; None without any, False for a user who is not inside."""
        if now >= self.inside.get(user, 0):
            return False
        if self.stock < 1:
            return None
        self.stock -= 1
        del self.inside[user]
        return True

    def _purge(self, now: int) -> None:
        """Forget the admissions that ran out."""
        self.inside = {user: until for user, until in self.inside.items() if until > now}
