"""The last line: every request has its answer in time, whatever it waits for."""

import asyncio
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import RETRY_AFTER, respond

# Seconds from the end of a request's body to the beginning of its answer. Each call of a store has
# a limit of its own, and a request makes several in a row.
ANSWER_TIME = 2.25

_MESSAGE = "A backing service does not answer in time; try again"


class AnswerInTime:
    """ASGI middleware: 503 where there is no answer within `ANSWER_TIME`.

    The request's task is cancelled then. What it waits for gives way at once, or as PostgreSQL's
    connections within `GRACE` seconds. What it may have done before (a claim, a commit) stands, as
    with every answer that does not arrive. What follows an answer (the relay) takes the time that
    it needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clock = _Clock()
        try:
            await self._app(scope, clock.watch_body(receive), clock.watch_answer(send))
        except asyncio.CancelledError:
            # Somebody else may have cancelled it at the same time.
            if not clock.expired or clock.task.cancelling() > 1 or clock.answered:
                raise
            clock.task.uncancel()
            scope.setdefault("state", {})["error"] = f"no answer within {ANSWER_TIME:g} s"
            headers = {"Retry-After": str(RETRY_AFTER)}
            response = respond(scope["path"], 503, "unavailable", _MESSAGE, headers)
            await response(scope, receive, send)
        finally:
            clock.timer.cancel()


class _Clock:
    """Ends a request that waits too long; one timer, as to set it again for each message costs."""

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
            self._reading = True  # how long a body may take is LimitBody's to say
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
