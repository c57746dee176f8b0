"""The address of a client behind proxies, and which clients may read /metrics."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from flashsale.errors import ConfigError
from flashsale.http.rate_headers import PEER

_FORM = "it should look like 10.0.0.0/16, 192.0.2.7"


def trust_proxies(app: ASGIApp, env: Mapping[str, str]) -> ASGIApp:
    """Take the client's address from the headers of the proxies in TRUSTED_PROXIES, and no others.

    Without the variable, a load balancer is the client of all requests: they share the rate limit
    of one address, and /metrics is open.

    Raises:
        ConfigError: see `trusted_proxies`.

    """
    proxies = trusted_proxies(env)
    if not proxies:
        return app
    trusting: ASGIApp = wrap_asgi_with_proxy_headers(app, proxies)

    async def keeping_the_peer(scope: Scope, receive: Receive, send: Send) -> None:
        scope[PEER] = scope.get("client")
        await trusting(scope, receive, send)

    return keeping_the_peer


def trusted_proxies(env: Mapping[str, str]) -> list[str]:
    """Return the addresses and networks in TRUSTED_PROXIES, which separates them by commas.

    Raises:
        ConfigError: an entry is neither an address nor a network. Or it contains all addresses, and
            any client could choose the address by which it is counted.

    """
    listed = env.get("TRUSTED_PROXIES", "").split(",")
    return [_proxy(part.strip()) for part in listed if part.strip()]


def _proxy(text: str) -> str:
    try:
        is_everything = ip_network(text).prefixlen == 0
    except ValueError as error:  # also for 10.0.0.1/16, which would match no address
        raise ConfigError(f"TRUSTED_PROXIES has {text!r}: {error}; {_FORM}") from error
    if is_everything:
        raise ConfigError(f"TRUSTED_PROXIES has {text!r}, which contains all addresses; {_FORM}")
    return text


def is_internal(request: Request) -> bool:
    """Return whether a request comes from this machine or a private network."""
    try:
        return ip_address(request.client.host if request.client else "").is_private
    except ValueError:
        return False
