"""Refuses a request that says something twice that can be said once only.

API Gateway joins headers of one name by a comma, an ASGI server hands on each of them: a request
with two Idempotency-Keys would be one request behind the one and another behind the other. So none
of these headers may come twice, or hold a comma. (Two Authorization headers are no token, see
`auth`; two of Content-Length or of Transfer-Encoding are the servers' and `limits`' to refuse.)
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from flashsale.http.errors import PROBLEM_PATHS, respond

SINGLE = frozenset({b"idempotency-key", b"content-type", b"host"})


class RefuseDoubles:
    """ASGI middleware: 422, from V1 to V4 400, for one of `SINGLE` that comes twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (name := _double(scope)):
            path = scope["path"]
            status = 422 if path.startswith(PROBLEM_PATHS) else 400
            message = f"{name}: it may come once, and without a comma"
            await respond(path, status, "invalid", message)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _double(scope: Scope) -> str:
    seen = set()
    for name, value in scope["headers"]:
        if name in SINGLE:
            if name in seen or b"," in value:
                return str(name.decode())
            seen.add(name)
    return ""
