"""Which address the ASGI edge takes for the client's."""

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import ASGIApp

from flashsale.errors import ConfigError
from flashsale.http.rate_headers import address_of
from flashsale_server.edge.proxies import is_internal, trust_proxies

PROXY, BUYER = "10.1.2.3", "8.8.4.4"


def edge(trusted: str) -> ASGIApp:
    api = FastAPI()

    @api.get("/who")
    async def who(request: Request) -> dict[str, object]:
        return {"address": address_of(request), "inside": is_internal(request)}

    return trust_proxies(api, {"TRUSTED_PROXIES": trusted})


async def ask(app, peer, forwarded):
    transport = httpx.ASGITransport(app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        answer = (await http.get("/who", headers=headers)).json()
        return answer["address"], answer["inside"]


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "seen"),
    [
        ("", BUYER, None, (BUYER, False)),
        ("", BUYER, "10.9.9.9", (BUYER, False)),
        ("10.0.0.0/8", PROXY, BUYER, (BUYER, False)),
        # A buyer's own header stands before what the proxy adds.
        ("10.0.0.0/8", PROXY, f"127.0.0.1, {BUYER}", (BUYER, False)),
        ("10.0.0.0/8", BUYER, "127.0.0.1", (BUYER, False)),
        ("10.0.0.0/8", PROXY, None, (PROXY, True)),
        ("10.0.0.0/8", PROXY, "nonsense", ("nonsense", False)),
        # Some proxies add the port.
        ("10.0.0.0/8", PROXY, f"{BUYER}:4711", (BUYER, False)),
        ("10.0.0.0/8", PROXY, "[2001:db8:1:2::7]:4711", ("2001:db8:1:2::", False)),
        # A proxy that names no client is the client, and sees no more than a buyer.
        ("10.0.0.0/8", PROXY, "::nobody", (PROXY, False)),
        ("", "127.0.0.1", None, ("127.0.0.1", True)),
        ("", "::1", None, ("::", True)),
    ],
)
async def test_only_trusted_proxies_name_the_client(trusted, peer, forwarded, seen):
    assert await ask(edge(trusted), peer, forwarded) == seen


@pytest.mark.parametrize("trusted", ["192.0.2.7", "10.0.0.0/8, 2001:db8::/32", "10.0.0.0/8,"])
def test_addresses_and_networks_can_be_trusted(trusted):
    edge(trusted)


@pytest.mark.parametrize(
    "trusted",
    ["*", "0.0.0.0/0", "::/0", "10.0.0.1/16", "10.0.0.0/8, proxy.example", "10.0.0.0/8 x"],
)
def test_trusting_everybody_or_nobody_by_mistake_is_rejected(trusted):
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES has"):
        edge(trusted)
