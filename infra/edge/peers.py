"""Who is at the other end of a connection, and what he may see."""

from collections.abc import Mapping
from ipaddress import ip_address

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import Request
from starlette.types import ASGIApp

from flashsale.errors import ConfigError


def behind_proxies(app: ASGIApp, env: Mapping[str, str]) -> ASGIApp:
    """Believe what the proxies in TRUSTED_PROXIES say of their clients, and nobody else.

    Addresses and networks, separated by commas. Without it a load balancer is the client of all
    requests: they share the limit of one address, and /metrics is open.

    Raises:
        ConfigError: anybody would be believed, and choose the address that he is counted by.

    """
    proxies = env.get("TRUSTED_PROXIES", "")
    if "*" in proxies:
        raise ConfigError("TRUSTED_PROXIES is *; it should name addresses or networks: 10.0.0.0/16")
    wrapped: ASGIApp = wrap_asgi_with_proxy_headers(app, proxies) if proxies else app
    return wrapped


def is_inside(request: Request) -> bool:
    """Whether a request comes from this machine or a private network, and not from a buyer."""
    try:
        return ip_address(request.client.host if request.client else "").is_private
    except ValueError:
        return False
