"""A connection to PostgreSQL that gives up on a server that is silent.

libpq waits for an answer without end: for a server that is there and does not answer (stopped, or
on a disk that hangs), and for one that a broken wire cuts off. Its own cancellation asks the same
server, and waits as well. So each answer has a time limit here, and at its end the socket is shut
down under the driver, which then fails by itself, whatever it waits for: a statement, a commit, a
rollback, or the pool's check. The pool throws such a connection away.
"""

import asyncio
import os
import select
import socket
from typing import Any

import psycopg
from psycopg.rows import DictRow

# Seconds within which one statement of a buyer's request is answered: by its primary key, it takes
# milliseconds. More than that is a line before a row's lock, or a server that does not answer.
SILENCE = 2.0
# Seconds of them that a server has to end a statement that it is asked to cancel.
GRACE = 0.4


class WatchedConnection(psycopg.AsyncConnection[DictRow]):
    """A connection on which nothing waits longer for PostgreSQL than `silence` seconds.

    A server that does answer is first asked to cancel the statement, `GRACE` seconds before: so no
    forgotten statement waits for a lock on the server, in a connection that counts there still.
    """

    silence = SILENCE
    _silent = False
    _committing = False
    _timer: asyncio.TimerHandle | None = None

    async def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Let the driver run one exchange with the server.

        Raises:
            psycopg.OperationalError: also where the server is silent.
            psycopg.errors.QueryCanceled: it was asked to cancel the statement, and did.

        """
        loop = asyncio.get_running_loop()
        asking: list[asyncio.Task[None]] = []
        self._timer = loop.call_later(self.silence, self._hang_up)
        ask = loop.call_later(self.silence - GRACE, lambda: asking.append(self._ask_to_cancel()))
        try:
            return await super().wait(*args, **kwargs)
        except psycopg.OperationalError as error:
            if self._silent:
                text = f"no answer within {self.silence:g} s"
                raise psycopg.OperationalError(text) from error
            raise
        finally:
            self._timer.cancel()
            ask.cancel()
            if asking:  # else it might cancel the next statement
                await asyncio.wait(asking)
                self._timer.cancel()

    async def commit(self) -> None:
        """Commit. It is never cancelled: a commit that waits for a replica is done already."""
        self._committing = True
        try:
            await super().commit()
        finally:
            self._committing = False

    async def cancel_safe(self, *, timeout: float = GRACE) -> None:  # noqa: ASYNC109 - psycopg's
        """Ask the server to cancel the statement; hang up if it does not within `GRACE` seconds.

        The driver calls this too, where the task that waits for an answer is cancelled.
        """
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(GRACE, self._hang_up)
        await super().cancel_safe(timeout=min(timeout, GRACE))

    def _ask_to_cancel(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self._cancel_quietly())

    async def _cancel_quietly(self) -> None:
        if self._committing:
            return
        try:
            await self.cancel_safe()
        except psycopg.Error:
            return  # the timer hangs up

    def _hang_up(self) -> None:
        """Make the driver fail, without the server: what it waits for ends with an error."""
        if self.closed:
            return
        if self._is_readable():  # this process was held up, and not the server
            self._timer = asyncio.get_running_loop().call_later(GRACE, self._hang_up)
            return
        self._silent = True
        # Another descriptor of the same socket: the driver closes its own.
        with socket.socket(fileno=os.dup(self.fileno())) as wire:
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the server has closed it meanwhile

    def _is_readable(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))
