"""Stores of their own for payment holds.

In them no deployed function ends a hold before the process that a fault is to kill.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from flashsale.redis_store.scripts import LUA
from flashsale.services import Services
from flashsale_local.stack.stack import Stack
from tests.helpers.proxy import Proxy
from tests.helpers.stores import migrate_and_seed, running_stack, settings_of
from tests.integration.held_shop import held_shop

UNITS = 300


@dataclass
class Stores:
    """Valkey and PostgreSQL, and a proxy before each, in which a fault may strike."""

    stack: Stack
    redis: Proxy
    postgres: Proxy

    async def run(self, step, argument):
        """Run a step in a process behind the proxies; return its exit status."""
        environment = {
            **os.environ,
            "REDIS_URL": through(self.stack.redis_url, self.redis),
            "DATABASE_URL": through(self.stack.database_url, self.postgres),
        }
        command = [sys.executable, "-m", "tests.faults.holds.step", step, argument]
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        return await process.wait()


def through(url, proxy):
    return url.replace(f":{urlsplit(url).port}", f":{proxy.port}")


@pytest.fixture(scope="package")
def stores():
    with running_stack() as stack:
        migrate_and_seed(settings_of(stack))
        proxies = [Proxy(urlsplit(url).port) for url in (stack.redis_url, stack.database_url)]
        yield Stores(stack, *proxies)
        for proxy in proxies:
            proxy.close()


@pytest.fixture(autouse=True)
def healthy(stores):
    """Start what is down, and remove the faults. No deployed function takes part."""
    yield
    stores.redis.fault = stores.postgres.fault = None
    for program in (stores.stack.redis, stores.stack.database):
        stores.stack.start(program)


@pytest.fixture
async def services(stores):
    services = Services(settings_of(stores.stack))
    for name in ("hold", "settle", "release_claim"):  # so that the first call finds its script
        await services.redis.script_load((LUA / f"{name}.lua").read_text())
    yield services
    await services.close()


@pytest.fixture
async def shop(services, new_product):
    return await held_shop(services, new_product, stock=UNITS)
