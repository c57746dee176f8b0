"""How long a use case may work, and how it is left when its time is over."""

import asyncio
import math
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flashsale.errors import OutOfTime

T = TypeVar("T")
# Whether the work that asks has a deadline that may cut it, so that it must not block its thread.
bounded = ContextVar("bounded", default=False)

# Seconds that a function keeps for its answer, its log lines and its metrics.
RESERVE = 1.5
# Seconds before the deadline from which on nothing new is begun.
NEAR = 0.5
# Seconds that work has to end after it was cancelled.
GRACE = 0.25


class Remaining(Protocol):
    """The part of a Lambda context that says how much time an invocation has."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, in seconds of `time.monotonic()`."""

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def of(cls, context: Remaining, reserve: float = RESERVE) -> "Deadline":
        """So many seconds before Lambda ends the invocation, but half of its time at most."""
        seconds = context.get_remaining_time_in_millis() / 1000
        return cls.after(seconds - min(reserve, seconds / 2))

    @property
    def left(self) -> float:
        """Seconds until then, 0 if it has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def near(self) -> bool:
        """Whether nothing new should be begun."""
        return self.left < NEAR

    async def bound(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, and return its result.

        Work that is not done in time is cancelled, and abandoned if it does not end at once: a
        driver that waits for a silent server may not notice. So it must be safe to leave at any
        line.

        Raises:
            OutOfTime: the work was not done in time.

        """
        token = bounded.set(True)
        task = asyncio.ensure_future(work)  # which keeps this context
        bounded.reset(token)
        try:
            await asyncio.wait({task}, timeout=None if math.isinf(self.at) else self.left)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE)
        if task.done() and not task.cancelled():
            return task.result()
        task.add_done_callback(_ignore)
        raise OutOfTime("no time left: a service answers slowly, or not at all")


def _ignore(task: "asyncio.Task[Any]") -> None:
    """Nobody waits for an abandoned task: how it ended is no news."""
    if not task.cancelled():
        task.exception()


NEVER = Deadline()
