"""Who is at the other end of a connection, and what he may see."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from flashsale.errors import ConfigError
from flashsale.http.rate_headers import PEER

_FORM = "it should look like 10.0.0.0/16, 192.0.2.7"


def behind_proxies(app: ASGIApp, env: Mapping[str, str]) -> ASGIApp:
    """Believe what the proxies in TRUSTED_PROXIES say of their clients, and nobody else.

    Addresses and networks, separated by commas. Without it a load balancer is the client of all
    requests: they share the limit of one address, and /metrics is open.

    Raises:
        ConfigError: one of them is no address and no network; or it is everybody, and anybody could
            choose the address that he is counted by.

    """
    listed = env.get("TRUSTED_PROXIES", "").split(",")
    proxies = [_proxy(part.strip()) for part in listed if part.strip()]
    if not proxies:
        return app
    believing: ASGIApp = wrap_asgi_with_proxy_headers(app, proxies)

    async def remembering(scope: Scope, receive: Receive, send: Send) -> None:
        scope[PEER] = scope.get("client")
        await believing(scope, receive, send)

    return remembering


def _proxy(text: str) -> str:
    try:
        everybody = ip_network(text).prefixlen == 0
    except ValueError as error:  # also for 10.0.0.1/16, which would match nobody
        raise ConfigError(f"TRUSTED_PROXIES has {text!r}: {error}; {_FORM}") from error
    if everybody:
        raise ConfigError(f"TRUSTED_PROXIES has {text!r}, which is everybody; {_FORM}")
    return text


def is_inside(request: Request) -> bool:
    """Whether a request comes from this machine or a private network, and not from a buyer."""
    try:
        return ip_address(request.client.host if request.client else "").is_private
    except ValueError:
        return False
