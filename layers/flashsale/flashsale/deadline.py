"""Deadlines: how long a use case may run, and how it is abandoned afterwards."""

import asyncio
import math
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from flashsale.errors import OutOfTime

T = TypeVar("T")
# Whether the current work may be cut off by a deadline. It must then not block its thread.
bounded = ContextVar("bounded", default=False)

# Seconds that a function reserves for its response, its log lines and its metrics.
RESERVE = 1.5
# Nothing new is started in the last seconds before the deadline.
NEAR = 0.5
# Seconds that cancelled work has to end.
GRACE = 0.25


class Remaining(Protocol):
    """The part of a Lambda context that knows how much time an invocation has left."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the invocation."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, in seconds of `time.monotonic()`."""

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline in `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def of(cls, context: Remaining, reserve: float = RESERVE) -> "Deadline":
        """Return the deadline `reserve` seconds before Lambda ends the invocation.

        It reserves half of the remaining time at most.
        """
        seconds = context.get_remaining_time_in_millis() / 1000
        return cls.after(seconds - min(reserve, seconds / 2))

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 if it has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def near(self) -> bool:
        """Whether it is too late to start anything new."""
        return self.left < NEAR

    @property
    def halfway(self) -> "Deadline":
        """The deadline of work that leaves half of the time to what follows it."""
        return Deadline.after(self.left / 2)

    async def bound(self, work: Coroutine[Any, Any, T]) -> T:
        """Run the work until the deadline, and return its result.

        Work that is late is cancelled. If it does not end at once, it is abandoned: a driver that
        waits for an unresponsive server may not notice the cancellation. So the work must be safe
        to abandon at any line.

        Raises:
            OutOfTime: the work was late.

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
        raise OutOfTime("no time left: a service responds slowly, or not at all")


def _ignore(task: "asyncio.Task[Any]") -> None:
    """Read the result of an abandoned task, so that asyncio does not log its exception."""
    if not task.cancelled():
        task.exception()


NEVER = Deadline()
