"""Dependencies that decide who may call a route. FastAPI runs them before the route itself."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from flashsale.auth.principal import ADMIN_SCOPE, Denied, Principal
from flashsale.http.dependencies import Injected
from flashsale.services import Services


async def _buyer(request: Request, services: Injected) -> Principal | None:
    return await _principal(request, services) if services.settings.auth == "jwt" else None


async def _admin(request: Request, services: Injected) -> Principal:
    principal = await _principal(request, services)
    if not principal.is_admin:
        challenge = f'Bearer error="insufficient_scope", scope="{ADMIN_SCOPE}"'
        headers = {"WWW-Authenticate": challenge}
        raise HTTPException(HTTPStatus.FORBIDDEN, f"This needs the scope {ADMIN_SCOPE}.", headers)
    return principal


async def open_without_auth(services: Injected) -> None:
    """Answer 404 where buyers need a token: V1 to V4 trust what a body says of its buyer."""
    if services.settings.auth != "none":
        raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")


async def _principal(request: Request, services: Services) -> Principal:
    """Return the principal whose token this request carries (RFC 6750).

    Raises:
        HTTPException: 401, if there is no valid token.

    """
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("A bearer token is needed.", "Bearer")
    principal = await services.tokens.verify(token.strip())
    if isinstance(principal, Denied):
        raise _unauthorized(principal.reason, 'Bearer error="invalid_token"')
    return principal


def _unauthorized(reason: str, challenge: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNAUTHORIZED, reason, {"WWW-Authenticate": challenge})


Buyer = Annotated[Principal | None, Depends(_buyer)]
"""The buyer; None where buyers need no token (AUTH=none)."""
Admin = Annotated[Principal, Depends(_admin)]
"""The admin. Each request needs a token with the scope, whatever AUTH says."""
