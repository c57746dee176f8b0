"""Reject requests that do not come from the live page itself.

A page of another site in the same browser can send requests to loopback. It can also open
websockets to it, which no browser forbids, and use a host name that resolves to 127.0.0.1. It
cannot forge the headers Host and Origin, because the browser sets them.
"""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale_local.problems import Problem

# Everything comes from this server. No other page may embed this one in a frame (clickjacking).
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)


def require_loopback(host: str) -> None:
    """Check that other machines cannot reach the page's address.

    Raises:
        Problem: `host` is not a loopback address.

    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Problem(
            f"{host} is not a loopback address, and this page has buttons that stop servers.",
            "Leave --host out. From another machine: ssh -L 8080:127.0.0.1:8080 (the same port).",
        )


def own_origins(host: str, port: int) -> list[str]:
    """Return the origins under which this page may be opened, the preferred one first."""
    names = (f"[{host}]" if ":" in host else host, "localhost")
    return [f"http://{name}:{port}" for name in names]


class SameOriginOnly:
    """ASGI middleware that rejects (403) requests and websockets from pages of other sites."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reject it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, _with_policy(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before accept: 403
        else:
            await PlainTextResponse("not from this page", 403)(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        if f"http://{headers.get('host')}" not in self._origins:
            return False
        # Browsers omit Origin when they follow a link, and programs always omit it.
        origin = headers.get("origin")
        return origin is None or origin == f"http://{headers['host']}"


def _with_policy(send: Send) -> Send:
    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = POLICY
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return send_with_policy
