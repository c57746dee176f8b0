"""The last line: every request has an answer, and in time, whatever happens to it."""

import asyncio
from collections.abc import Awaitable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import RETRY_AFTER, respond
from flashsale.http.limits import LAST
from flashsale.http.request_log import log_of

# Seconds from the end of a request's body to the beginning of its answer. Each call of a store has
# a limit of its own, and a request makes several in a row.
ANSWER_TIME = 2.25
# Seconds for a whole body. A client that sends a byte at a time holds a connection and a task.
BODY_TIME = 15.0

_LATE = "A backing service does not answer in time; try again"
_BUG = "This is our mistake; it was logged"


class AlwaysAnswer:
    """ASGI middleware: each request ends, by 408, 503 or 500 if it must.

    It is 408 for a body that takes longer than `BODY_TIME`, 503 without an answer within
    `ANSWER_TIME`, and 500 for an unhandled exception.

    A request that is late has its task cancelled. What it waits for gives way at once, or, if that
    is a connection of PostgreSQL, within `GRACE` seconds. What the request may have done before (a
    claim, a commit) stands, as with every answer that does not arrive. What follows an answer (the
    relay) takes the time that it needs.

    An exception goes on after its answer. Starlette itself answers exceptions outside of all
    middleware, where no page of another origin may read the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clock = _Clock()
        send_in_time = clock.watch_answer(send)
        try:
            await self._app(scope, clock.watch_body(receive), send_in_time)
        except asyncio.CancelledError:
            # Another task may have cancelled it at the same time.
            if not clock.expired or clock.task.cancelling() > 1 or clock.answered:
                raise
            clock.task.uncancel()
            late = _no_body(scope) if clock.reads else _no_answer(scope)
            await late(scope, receive, send)
        except Exception as error:
            if not clock.answered:
                log_of(scope).error = f"{type(error).__name__}: {error}"
                response = respond(scope["path"], 500, "internal", _BUG)
                await response(scope, receive, send_in_time)
            raise
        finally:
            clock.timer.cancel()


def _no_body(scope: Scope) -> Response:
    message = f"The body must come within {BODY_TIME:g} seconds"
    return respond(scope["path"], 408, "too_slow", message, LAST)


def _no_answer(scope: Scope) -> Response:
    log_of(scope).error = f"no answer within {ANSWER_TIME:g} s"
    headers = {"Retry-After": str(RETRY_AFTER)}
    return respond(scope["path"], 503, "unavailable", _LATE, headers)


class _Clock:
    """Ends a request that waits too long. One timer only: setting it for each message is dear."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task, "an application is called by a task"
        self.task = task
        self.expired = self.answered = self.reads = self._read = False
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._answer_by, self._body_by = now + ANSWER_TIME, now + BODY_TIME
        self.timer = self._loop.call_at(min(self._answer_by, self._body_by), self._look)

    def watch_body(self, receive: Receive) -> Receive:
        async def receiving() -> Message:
            if self._read:  # the next message says that the client has gone, and may take any time
                return await receive()
            self.reads = True
            message = await receive()
            self.reads, self._read = False, not message.get("more_body", False)
            self._answer_by = self._loop.time() + ANSWER_TIME
            return message

        return receiving

    def watch_answer(self, send: Send) -> Send:
        def sending(message: Message) -> Awaitable[None]:
            self.answered = True
            self.timer.cancel()
            return send(message)

        return sending

    def _look(self) -> None:
        now = self._loop.time()
        end = self._body_by if self.reads else self._answer_by
        if end > now:
            # A body that is whole by then has its answer no later than this.
            self.timer = self._loop.call_at(min(end, now + ANSWER_TIME), self._look)
        else:
            self.expired = True
            self.task.cancel()
