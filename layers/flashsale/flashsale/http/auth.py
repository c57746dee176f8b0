"""Who may call a route. FastAPI runs these before the route itself."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from flashsale.auth.principal import ADMIN_SCOPE, Denied, Principal
from flashsale.http.dependencies import Injected
from flashsale.services import Services


async def _buyer(request: Request, services: Injected) -> Principal | None:
    return await _caller(request, services) if services.settings.auth == "jwt" else None


async def _admin(request: Request, services: Injected) -> Principal:
    caller = await _caller(request, services)
    if not caller.is_admin:
        challenge = f'Bearer error="insufficient_scope", scope="{ADMIN_SCOPE}"'
        headers = {"WWW-Authenticate": challenge}
        raise HTTPException(HTTPStatus.FORBIDDEN, f"This needs the scope {ADMIN_SCOPE}.", headers)
    return caller


async def open_without_auth(services: Injected) -> None:
    """For V1 to V4, which believe what a body says of its buyer: 404 where buyers need a token."""
    if services.settings.auth != "none":
        raise HTTPException(HTTPStatus.NOT_FOUND, "Not Found")


async def _caller(request: Request, services: Services) -> Principal:
    """Whose token this request carries (RFC 6750); else 401."""
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("A bearer token is needed.", "Bearer")
    caller = await services.tokens.caller(token.strip())
    if isinstance(caller, Denied):
        raise _unauthorized(caller.reason, 'Bearer error="invalid_token"')
    return caller


def _unauthorized(reason: str, challenge: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNAUTHORIZED, reason, {"WWW-Authenticate": challenge})


Buyer = Annotated[Principal | None, Depends(_buyer)]
"""Who buys; None where anybody may say who he is (AUTH=none)."""
Admin = Annotated[Principal, Depends(_admin)]
"""Who runs the shop. Needs a token with the scope, whatever AUTH says."""
