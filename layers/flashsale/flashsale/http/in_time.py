"""The last line: every request has an answer, and in time, whatever happens to it."""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import RETRY_AFTER, respond
from flashsale.http.request_log import log_of

# Seconds from the end of a request's body to the beginning of its answer. Each call of a store has
# a limit of its own, and a request makes several in a row.
ANSWER_TIME = 2.25

_LATE = "A backing service does not answer in time; try again"
_BUG = "This is our mistake; it was logged"


class AlwaysAnswer:
    """ASGI middleware: 503 without an answer within `ANSWER_TIME`, 500 for an unhandled exception.

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
            log_of(scope).error = f"no answer within {ANSWER_TIME:g} s"
            headers = {"Retry-After": str(RETRY_AFTER)}
            response = respond(scope["path"], 503, "unavailable", _LATE, headers)
            await response(scope, receive, send)
        except Exception as error:
            if not clock.answered:
                log_of(scope).error = f"{type(error).__name__}: {error}"
                response = respond(scope["path"], 500, "internal", _BUG)
                await response(scope, receive, send_in_time)
            raise
        finally:
            clock.timer.cancel()


class _Clock:
    """Ends a request that waits too long. One timer only: setting it for each message is dear."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task, "an application is called by a task"
        self.task = task
        self.expired = self.answered = self._reading = False
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.timer = self._loop.call_at(self._began + ANSWER_TIME, self._look)

    def watch_body(self, receive: Receive) -> Receive:
        async def receiving() -> Message:
            self._reading = True  # LimitBody bounds the time that a body takes
            try:
                return await receive()
            finally:
                self._reading, self._began = False, self._loop.time()

        return receiving

    def watch_answer(self, send: Send) -> Send:
        def sending(message: Message) -> Awaitable[None]:
            self.answered = True
            self.timer.cancel()
            return send(message)

        return sending

    def _look(self) -> None:
        now = self._loop.time()
        end = (now if self._reading else self._began) + ANSWER_TIME
        if end > now:
            self.timer = self._loop.call_at(end, self._look)
        else:
            self.expired = True
            self.task.cancel()
