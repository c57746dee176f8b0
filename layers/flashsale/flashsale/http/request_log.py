"""What one request leaves for its log line and its metrics, filled in on its way."""

from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

_KEY = "request_log"


@dataclass(slots=True)
class RequestLog:
    """The facts about a request that only the code which serves it knows.

    Attributes:
        correlation_id: follows a purchase through the queue into PostgreSQL; "" where nothing
            observes the application.
        generation, outcome, order_id: set by the buy routes only.
        error: the cause of a 5xx answer, which the client must not see.

    """

    correlation_id: str = ""
    generation: int | None = None
    outcome: str | None = None
    order_id: str | None = None
    error: str | None = None


def begin_log(scope: Scope, correlation_id: str) -> RequestLog:
    """Give a request its log."""
    log = RequestLog(correlation_id)
    scope.setdefault("state", {})[_KEY] = log
    return log


def log_of(scope: Scope) -> RequestLog:
    """Return the log of a request; a new one where nothing observes the application.

    It is no dependency of FastAPI, because each of those adds a twentieth to what a request costs.
    """
    state: dict[str, Any] = scope.setdefault("state", {})
    log: RequestLog | None = state.get(_KEY)
    return log or begin_log(scope, "")
