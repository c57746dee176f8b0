"""What stands before every route: limits of size and time, headers for browsers, who may ask."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import SECURITY_HEADERS
from flashsale.http.head import AnswerHead
from flashsale.http.in_time import AnswerInTime
from flashsale.http.limits import LimitBody

_HEADERS = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def add_guards(api: FastAPI, origins: Sequence[str]) -> None:
    """Put them before the routes of `api`; pages of `origins` may read its answers."""
    api.add_middleware(AnswerInTime)  # the last one that is added is the first one that is asked
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

        async def secure_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}  # a page may say more by itself
                more = [header for header in _HEADERS if header[0] not in said]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, secure_send)
