"""A connection to PostgreSQL with a time limit for each answer of the server.

libpq waits without a limit: for a server that is up and does not answer (stopped, or on a disk that
hangs), and for a server behind a broken network. Its own cancellation asks the same server, and
waits as well. So each answer has a time limit here. At its end the socket is shut down under the
driver, which then fails whatever it waits for: a statement, a commit, a rollback, or the pool's
check. The pool discards such a connection.
"""

import asyncio
import math
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow

# Seconds for one statement of a buyer's request. By primary key it takes milliseconds. A slower one
# waits for a row lock, or for a server that does not answer.
SILENCE = 2.0
# Seconds of that time in which the server must end a statement after a request to cancel it.
GRACE = 0.4
# Seconds for which an answer of the server proves that it is there.
FRESH = 0.5


class WatchedConnection(psycopg.AsyncConnection[DictRow]):
    """A connection that waits `silence` seconds at most for each answer of PostgreSQL.

    `GRACE` seconds earlier it asks the server to cancel the statement. Otherwise an abandoned
    statement could still wait for a lock, in a connection that the server still counts.
    """

    silence = SILENCE
    _answered = -math.inf
    _silent = False
    _committing = False
    _timer: asyncio.TimerHandle | None = None

    async def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Run one exchange of the driver with the server.

        Raises:
            psycopg.OperationalError: the server did not answer in time, among other causes.
            psycopg.errors.QueryCanceled: the server cancelled the statement on request.

        """
        loop = asyncio.get_running_loop()
        asking: list[asyncio.Task[None]] = []
        self._timer = loop.call_later(self.silence, self._hang_up)
        ask = loop.call_later(self.silence - GRACE, lambda: asking.append(self._ask_to_cancel()))
        try:
            answer = await super().wait(*args, **kwargs)
            self._answered = loop.time()
            return answer
        except psycopg.OperationalError as error:
            if self._silent:
                text = f"no answer within {self.silence:g} s"
                raise psycopg.OperationalError(text) from error
            raise
        finally:
            self._timer.cancel()
            ask.cancel()
            if asking:  # a late request might cancel the next statement
                await asyncio.wait(asking)
                self._timer.cancel()

    @property
    def just_answered(self) -> bool:
        """Whether the server answered within `FRESH` seconds, and has not hung up since."""
        fresh = asyncio.get_running_loop().time() - self._answered < FRESH
        return fresh and not self.closed and not self._is_readable()

    async def commit(self) -> None:
        """Commit. Never cancel it: a commit that waits for a replica is already done."""
        with self.uncancelled():
            await super().commit()

    @contextmanager
    def uncancelled(self) -> Iterator[None]:
        """Never cancel the statement of this block, because it commits."""
        self._committing = True
        try:
            yield
        finally:
            self._committing = False

    async def cancel_safe(self, *, timeout: float = GRACE) -> None:  # noqa: ASYNC109 - psycopg's
        """Ask the server to cancel the statement; hang up if it does not within `GRACE` seconds.

        The driver also calls this if the task that waits for an answer is cancelled. A commit only
        gets those seconds.
        """
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._hang_up)
        if not self._committing:
            await super().cancel_safe(timeout=min(timeout, GRACE))

    def _ask_to_cancel(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self._cancel_quietly())

    async def _cancel_quietly(self) -> None:
        try:
            await self.cancel_safe()
        except psycopg.Error:
            return  # the timer hangs up

    def _hang_up(self) -> None:
        """Shut the socket down, so that whatever the driver waits for fails."""
        if self.closed:
            return
        if self._is_readable():  # this process was delayed, and not the server
            self._timer = asyncio.get_running_loop().call_later(GRACE, self._hang_up)
            return
        self._silent = True
        # Use another descriptor of the same socket, because the driver closes its own.
        with socket.socket(fileno=os.dup(self.fileno())) as wire:
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the server has closed it meanwhile

    def _is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))
