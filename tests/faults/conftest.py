"""The application on both edges, with a proxy on each connection that a fault may cut."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from flashsale.config import Settings
from flashsale.redis_store.relay_inbox import ALIVE
from flashsale.services import Services
from flashsale_local.deployment import deploy
from flashsale_local.stack import edge
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.faults.shop import Shop
from tests.helpers.proxy import Proxy

# Seconds. In a real sale, these take minutes.
VISIBILITY_TIMEOUT = 2
SWEEP_AFTER = 5


@pytest.fixture(scope="session")
def shop(stack: Stack, migrated: Settings) -> Iterator[Shop]:
    """Everything runs, without any fault."""
    stack.start(stack.emulator)
    target = stack.target("flashsale-faults")
    target.export()
    upstreams = {
        "functions.redis": stack.redis_url,
        "functions.postgres": stack.database_url,
        "web.redis": stack.redis_url,
        "web.sqs": stack.endpoint_url,
        "relay.redis": stack.redis_url,
        "relay.sqs": stack.endpoint_url,
    }
    proxies = {name: Proxy(urlsplit(url).port or 0) for name, url in upstreams.items()}

    def through(name: str) -> str:
        port = urlsplit(upstreams[name]).port
        return upstreams[name].replace(f":{port}", f":{proxies[name].port}")

    parameters = {
        **deploy.local_parameters(target),
        "RedisUrl": through("functions.redis"),
        "DatabaseUrl": through("functions.postgres"),
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT),
        "SweepAfter": str(SWEEP_AFTER),
    }
    with deploy.building():
        deploy.build("local", parameters, stack.directory / "logs" / "sam-build.log")
    web_sees = replace(target, redis_url=through("web.redis"), endpoint_url=through("web.sqs"))
    relay_sees = replace(
        target, redis_url=through("relay.redis"), endpoint_url=through("relay.sqs")
    )
    shop = Shop(stack, target, parameters, proxies)
    shop.deploy()
    shop.web = edge.web(
        stack.directory, free_port(), web_sees, workers=2, SWEEP_AFTER=str(SWEEP_AFTER)
    )
    shop.relay = edge.relay(relay_sees)
    stack.add(shop.web)
    stack.add(shop.relay)
    yield shop
    for proxy in proxies.values():
        proxy.close()


@pytest.fixture(autouse=True)
def healthy(shop: Shop) -> Iterator[None]:
    """Start what is down before each test, and remove its faults afterwards."""
    for program in (*shop.stack.programs, shop.web, shop.relay):
        shop.stack.start(program)
    yield
    for proxy in shop.proxies.values():
        proxy.fault = None
    shop.mapping(on=True)
    shop.hide_messages(VISIBILITY_TIMEOUT)


@pytest.fixture(params=["relay", "web"])
async def carrier(shop: Shop, services: Services, request: pytest.FixtureRequest) -> str:
    """The process that relays: the relay process, or the web workers if it is stopped."""
    if request.param == "web":
        shop.stack.supervisor.stop_program(shop.relay.name)
        await services.redis.delete(ALIVE)  # as if it had stopped some time ago
    return str(request.param)
