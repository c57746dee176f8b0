"""Headers and answers about rate limits (draft-ietf-httpapi-ratelimit-headers-10)."""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_network
from math import ceil

from starlette.requests import Request
from starlette.responses import Response

from flashsale.config import Rate
from flashsale.domain.claims import RateLimited
from flashsale.http.problems import problem_response

# The key in the scope of a request under which the edge keeps the peer of the connection, where a
# proxy says which client it forwards for.
PEER = "flashsale.peer"
# Some proxies write 192.0.2.7:4711 or [2001:db8::7]:4711.
_WITH_PORT = re.compile(r"^(?:([0-9.]+):[0-9]+|\[(.*)\](?::[0-9]+)?)$")


def rate_headers(limits: Mapping[str, Rate], allowed: Mapping[str, int]) -> dict[str, str]:
    """Return headers that name the limits, and how many more claims each lets through now."""
    if not allowed:
        return {}
    policy = (f'"{name}";q={limits[name].requests};w={limits[name].seconds}' for name in allowed)
    left = (f'"{name}";r={number}' for name, number in allowed.items())
    return {"RateLimit-Policy": ", ".join(policy), "RateLimit": ", ".join(left)}


def too_many(limits: Mapping[str, Rate], refused: RateLimited) -> Response:
    """Return a 429 that says when to try again."""
    seconds = max(1, ceil(refused.wait))
    headers = rate_headers(limits, {refused.limit: 0}) | {"Retry-After": str(seconds)}
    headers["RateLimit"] += f";t={seconds}"
    return problem_response(429, "too_many_requests", "Too many claims; wait a little.", headers)


def address_of(request: Request) -> str:
    """Return the address of a client; of IPv6 the network, since a host has 2**64 addresses."""
    client, peer = request.client, request.scope.get(PEER)
    # A proxy that names no client is counted itself: without an address there is no limit.
    return (client and _network_of(client.host)) or (peer and _network_of(peer[0])) or ""


def _network_of(host: str) -> str:
    if ":" in host:
        host = _WITH_PORT.sub(r"\1\2", host)
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host)
    except ValueError:
        return ""
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False).network_address)
