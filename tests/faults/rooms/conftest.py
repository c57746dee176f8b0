"""Fixtures of the faults of sales behind a waiting room."""

from dataclasses import replace

import pytest

from flashsale.redis_store.scripts import LUA
from flashsale.services import Services
from tests.faults.rooms.queue import Queue


@pytest.fixture
async def services(shop, migrated):
    """Return services that sign the same tickets as the edge."""
    services = Services(replace(migrated, room_secrets=(shop.target.room_secret,)))
    for name in ("join", "admit"):  # so that the first call finds its script
        await services.redis.script_load((LUA / f"{name}.lua").read_text())
    yield services
    await services.close()


@pytest.fixture
def new_queue(shop, services, new_product):
    """Return a function that puts a product on sale behind a room."""

    async def make(units, **terms):
        queue = Queue(shop, services, await new_product(units, on_sale=False))
        await queue.open(**terms)
        return queue

    return make
