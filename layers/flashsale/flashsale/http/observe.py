"""One observation per request. Each edge makes its own log lines and metrics of it."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.request_log import begin_log

logger = logging.getLogger(__name__)
# A correlation id goes into Redis, SQS and logs.
_ID = re.compile(r"[!-~]{1,128}")


@dataclass(slots=True)  # frozen, it would take four times as long to make
class Observation:
    """What happened to one request.

    Attributes:
        route: the template of the path, such as "/api/products/{product_id}"; "" for none.
        status: HTTP status of the answer.
        seconds: from the request to the end of the answer, which is how long the buyer waits.
        correlation_id: follows the purchase through the queue into PostgreSQL.
        generation, outcome, order_id: set by the buy routes only.
        error: the cause of a 5xx answer, which the client must not see.
        began: when the request came, seconds since 1970.

    """

    method: str
    path: str
    route: str
    status: int
    seconds: float
    correlation_id: str
    generation: int | None = None
    outcome: str | None = None
    order_id: str | None = None
    error: str | None = None
    began: float = field(default_factory=time.time)


class Observe:
    """ASGI middleware: gives each request a correlation id and hands its observation to `emit`."""

    def __init__(self, app: ASGIApp, emit: Callable[[Observation], None]) -> None:
        self._app = app
        self._emit = emit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        log = begin_log(scope, _correlation_id(scope))
        status, began, started, seconds = 500, time.time(), time.perf_counter(), 0.0

        async def observing_send(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            seconds = time.perf_counter() - started

        try:
            await self._app(scope, receive, observing_send)
        finally:
            # Mangum answers when all is done, also what a leader relays.
            if "aws.event" in scope:
                seconds = time.perf_counter() - started
            seen = Observation(
                method=scope["method"],
                path=scope["path"],
                route=getattr(scope.get("route"), "path", ""),
                status=status,
                seconds=seconds,
                correlation_id=log.correlation_id,
                generation=log.generation,
                outcome=log.outcome,
                order_id=log.order_id,
                error=log.error,
                began=began,
            )
            self._hand_over(seen)

    def _hand_over(self, seen: Observation) -> None:
        # The client must keep its answer: it would repeat a claim that seems to have failed.
        try:
            self._emit(seen)
        except Exception:
            logger.exception("not observed: %s", seen)


def _correlation_id(scope: Scope) -> str:
    if event := scope.get("aws.event"):
        given = str(event.get("requestContext", {}).get("requestId") or "")
        if _ID.fullmatch(given):
            return given
    return f"{getrandbits(128):032x}"  # an id, not a secret
