"""What stands before every route: limits of size and time, headers, who may ask.

Each answer passes all of it, whatever its status.
"""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import SECURITY_HEADERS
from flashsale.http.head import AnswerHead
from flashsale.http.in_time import AlwaysAnswer
from flashsale.http.limits import LimitBody
from flashsale.http.single import RefuseDoubles

_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def add_guards(api: FastAPI, origins: Sequence[str]) -> None:
    """Put them before the routes of `api`; pages of `origins` may read its answers."""
    # The last one that is added is the first one that is asked.
    api.add_middleware(AlwaysAnswer)
    api.add_middleware(RefuseDoubles)
    api.add_middleware(LimitBody)
    if origins:
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - where it is wanted

        api.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "Retry-After", "RateLimit", "RateLimit-Policy"],
            max_age=600,
        )
    api.add_middleware(_SecureHeaders)
    api.add_middleware(AnswerHead)


class _SecureHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        _strip_prefix(scope)

        async def secure_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}  # a page may say more by itself
                more = [header for header in _HEADERS if header[0] not in said]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, secure_send)


def _strip_prefix(scope: Scope) -> None:
    """Make the path what it is without a prefix; no answer names an absolute path or a host.

    An ASGI server says below which path it serves (`root_path`); of an HTTP API's stage, which
    the path begins with unless it is $default, the event does.
    """
    prefix, event = scope.get("root_path", ""), scope.get("aws.event", {})
    stage = event.get("requestContext", {}).get("stage", "$default")
    if event.get("version") == "2.0" and stage != "$default":
        prefix = f"/{stage}"
    if prefix and scope["path"].startswith(f"{prefix}/"):
        scope["path"] = scope["path"][len(prefix) :]
    scope["root_path"] = ""
