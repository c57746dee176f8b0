"""Who may talk to the page: a browser that has this very page open, and no other site's page.

A page of another site in the same browser can send requests to loopback, open websockets to it
(no browser forbids that), and give itself a name that resolves to 127.0.0.1. It cannot forge the
headers Host and Origin, which browsers write themselves.
"""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale_local.problems import Problem

# Everything comes from this server; nobody may put the page into a frame and guide the clicks.
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)


def refuse_public(host: str) -> None:
    """Let nobody bind the page to an address that other machines reach.

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
    """The addresses under which this page may be opened, the one to name first."""
    names = (f"[{host}]" if ":" in host else host, "localhost")
    return [f"http://{name}:{port}" for name in names]


class OwnPageOnly:
    """ASGI middleware that refuses (403) requests and websockets of other sites' pages."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse."""
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
        # Browsers leave Origin out where nothing is changed (a link); programs always do.
        origin = headers.get("origin")
        return origin is None or origin == f"http://{headers['host']}"


def _with_policy(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = POLICY
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return sending
