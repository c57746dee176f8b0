"""Reject a request that has a header twice which may be there once only.

API Gateway joins headers of one name by a comma, while an ASGI server passes on each of them. So a
request with two Idempotency-Keys would have one meaning behind API Gateway and another behind the
server. None of these headers may come twice or have a comma. Other modules reject other headers:
two of Authorization are no token (`auth`), and servers and `limits` reject two of Content-Length or
Transfer-Encoding.
"""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from flashsale.http.errors import PROBLEM_PATHS, respond

SINGLE = frozenset({b"idempotency-key", b"ticket", b"admission", b"content-type", b"host"})


class RefuseDoubles:
    """ASGI middleware: 422, from V1 to V4 400, for one of `SINGLE` that comes twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        if scope["type"] == "http" and (name := _double(scope)):
            path = scope["path"]
            status = 422 if path.startswith(PROBLEM_PATHS) else 400
            message = f"{name}: it may come once, and without a comma"
            return respond(path, status, "invalid", message)(scope, receive, send)
        return self._app(scope, receive, send)


def _double(scope: Scope) -> str:
    seen = set()
    for name, value in scope["headers"]:
        if name in SINGLE:
            if name in seen or b"," in value:
                return str(name.decode())
            seen.add(name)
    return ""
