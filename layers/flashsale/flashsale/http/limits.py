"""Reject bodies that are too large. `in_time` rejects those that arrive too slowly."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import respond

# Bytes. The largest body that the API takes is below 300.
MAX_BODY = 16 * 1024

# The rest of a body may still arrive, so its connection cannot carry another request.
LAST = {"Connection": "close"}

_CODING = b"transfer-encoding"
_TOO_LARGE = f"The body may have {MAX_BODY} bytes at most"


class LimitBody:
    """ASGI middleware: 413 for a body above `MAX_BODY`, declared or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        # Two servers in a row may read any other coding in two ways. A client could then smuggle a
        # second request in (RFC 9112, 11.2).
        if _CODING in headers and _codings(scope) != [b"chunked"]:
            await _refuse(scope, receive, send, 400, "invalid", "Transfer-Encoding: only chunked")
            return
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > MAX_BODY:
            await _refuse(scope, receive, send, 413, "too_large", _TOO_LARGE)
            return
        try:
            await self._app(scope, _limited(receive), send)
        except _TooLarge:
            await _refuse(scope, receive, send, 413, "too_large", _TOO_LARGE)


def _codings(scope: Scope) -> list[bytes]:
    return [value.lower() for name, value in scope["headers"] if name == _CODING]


async def _refuse(
    scope: Scope, receive: Receive, send: Send, status: int, code: str, message: str
) -> None:
    response = respond(scope["path"], status, code, message, LAST)
    await response(scope, receive, send)


class _TooLarge(BaseException):
    """The body is too large. No Exception, so that no handler makes another answer of it."""


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def limited_receive() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise _TooLarge
        return message

    return limited_receive
