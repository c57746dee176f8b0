"""Refuses what is too large before it is read."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flashsale.http.errors import respond

# Bytes. The largest body that the API takes is below 300.
MAX_BODY = 16 * 1024


class LimitBody:
    """ASGI middleware: 413 for a body above `MAX_BODY`, declared or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit():  # then the server lets nothing else through
            if int(declared) > MAX_BODY:
                await self._refuse(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, _counted(receive), send)
        except _TooLarge:
            await self._refuse(scope, receive, send)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
        message = f"The body may have {MAX_BODY} bytes at most"
        response = respond(scope["path"], 413, "too_large", message)
        await response(scope, receive, send)


class _TooLarge(BaseException):
    """Not an Exception, so that no handler in between turns it into another answer."""


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def counting_receive() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise _TooLarge
        return message

    return counting_receive
