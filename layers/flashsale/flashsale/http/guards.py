"""Middleware before every route: limits of size and time, security headers, CORS.

Each answer passes all of it, whatever its status.
"""

from collections.abc import Awaitable, Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import SECURITY_HEADERS
from flashsale.http.head import AnswerHead
from flashsale.http.in_time import AlwaysAnswer
from flashsale.http.limits import LimitBody
from flashsale.http.single import RefuseDoubles

_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def add_guards(api: FastAPI, origins: Sequence[str]) -> None:
    """Put the middleware before the routes of `api`. Pages of `origins` may read its answers."""
    # The middleware that is added last is the first to see a request.
    api.add_middleware(AlwaysAnswer)
    api.add_middleware(RefuseDoubles)
    api.add_middleware(LimitBody)
    if origins:
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - only where it is used

        api.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=[
                *("Authorization", "Content-Type", "Idempotency-Key"),
                *("Ticket", "Admission"),
            ],
            expose_headers=["Location", "Retry-After", "RateLimit", "RateLimit-Policy"],
            max_age=600,
        )
    api.add_middleware(_SecureHeaders)
    api.add_middleware(AnswerHead)


class _SecureHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        _strip_prefix(scope)

        def secure_send(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}  # a page may have its own policy
                missing = [header for header in _HEADERS if header[0] not in present]
                message["headers"] = [*message["headers"], *missing]
            return send(message)

        return self._app(scope, receive, secure_send)


def _strip_prefix(scope: Scope) -> None:
    """Remove the prefix below which this API is served from the path of a request.

    An ASGI server gives the prefix in `root_path`. Behind an HTTP API the prefix is the stage that
    the event names, unless that is $default. Answers work below any prefix, because none of them
    has an absolute path or a host.
    """
    prefix, event = scope.get("root_path", ""), scope.get("aws.event", {})
    stage = event.get("requestContext", {}).get("stage", "$default")
    if event.get("version") == "2.0" and stage != "$default":
        prefix = f"/{stage}"
    if prefix and scope["path"].startswith(f"{prefix}/"):
        scope["path"] = scope["path"][len(prefix) :]
    scope["root_path"] = ""
