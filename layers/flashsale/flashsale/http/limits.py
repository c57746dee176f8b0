"""Reject bodies that are too large, or that arrive too slowly."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import respond

# Bytes. The largest body that the API takes is below 300.
MAX_BODY = 16 * 1024
# Seconds for a whole body. A client that sends a byte at a time holds a connection and a task.
BODY_DEADLINE = 15.0

_TOO_LARGE = f"The body may have {MAX_BODY} bytes at most"


class LimitBody:
    """ASGI middleware: 413 for a body above `MAX_BODY`, declared or not; 408 for a slow one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Two servers in a row may read any other coding in two ways. A client could then smuggle a
        # second request in (RFC 9112, 11.2).
        codings = [
            value.lower() for name, value in scope["headers"] if name == b"transfer-encoding"
        ]
        if codings and codings != [b"chunked"]:
            await _refuse(scope, receive, send, 400, "invalid", "Transfer-Encoding: only chunked")
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > MAX_BODY:
            await _refuse(scope, receive, send, 413, "too_large", _TOO_LARGE)
            return
        try:
            await self._app(scope, _limited(receive), send)
        except _TooLarge:
            await _refuse(scope, receive, send, 413, "too_large", _TOO_LARGE)
        except _TooSlow:
            message = f"The body must come within {BODY_DEADLINE:g} seconds"
            await _refuse(scope, receive, send, 408, "too_slow", message)


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str
) -> None:
    # The rest of the body may still arrive, so this connection cannot carry another request.
    response = respond(scope["path"], status, code, message, {"Connection": "close"})
    await response(scope, receive, send)


class _TooLarge(BaseException):
    """The body is too large. No Exception, so that no handler makes another answer of it."""


class _TooSlow(BaseException):
    """The body is too slow. No Exception, for the same reason."""


def _limited(receive: Receive) -> Receive:
    seen, whole, deadline = 0, False, 0.0

    async def limited_receive() -> Message:
        nonlocal seen, whole, deadline
        if whole:  # the next message says that the client has gone, and may take any time
            return await receive()
        deadline = deadline or asyncio.get_running_loop().time() + BODY_DEADLINE
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise _TooSlow from None
        whole = not message.get("more_body", False)
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise _TooLarge
        return message

    return limited_receive
