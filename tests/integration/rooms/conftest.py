"""Fixtures of shops with a waiting room."""

from dataclasses import replace

import pytest

from flashsale.redis_store.room_copies import RoomCopies
from flashsale.services import Services
from tests.helpers.in_process import buyer_of
from tests.integration.refusals import Clock
from tests.integration.rooms.room_shop import SECRET, RoomShop


class Nowhere:
    """A queue that accepts and drops all messages."""

    async def send(self, envelopes):
        pass


@pytest.fixture
async def services(migrated):
    services = Services(replace(migrated, room_secrets=(SECRET,)))
    services.order_queue = Nowhere()
    yield services
    await services.close()


@pytest.fixture
def clock(services):
    """Return the clock by which copies of rooms are fresh. It stands still."""
    clock = Clock()
    services.room_copies = RoomCopies(clock)
    return clock


@pytest.fixture
async def http(services):
    async with buyer_of(services) as client:
        yield client


@pytest.fixture
def new_room(services, http, clock, new_product):
    """Return a function that puts a product on sale behind a room."""

    async def make(stock=10, **options):
        room = RoomShop(services, http, clock, await new_product(stock, on_sale=False))
        await room.open(**options)
        return room

    return make
