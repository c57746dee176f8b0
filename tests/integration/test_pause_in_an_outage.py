"""A pause between a stop and a start of a real PostgreSQL."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from flashsale.domain.model import Refusal
from flashsale.domain.pauses import UnrecordedPause
from flashsale.errors import DatabaseUnavailable
from flashsale.services import Services
from flashsale.usecases import admin
from flashsale.usecases.pauses import record_pauses
from tests.helpers.admin_desk import audit_of, claim, pause_of
from tests.helpers.stores import migrate_and_seed, running_stack, settings_of


@asynccontextmanager
async def opened(settings):
    services = Services(settings)
    yield services
    await services.close()


async def test_postgresql_is_stopped_and_comes_back():
    """Real servers: the sale is paused between a stop and a start of PostgreSQL."""
    with running_stack() as stack:
        settings = settings_of(stack)
        await asyncio.to_thread(migrate_and_seed, settings)
        async with opened(settings) as services:
            await services.stock.open_sale("p-01", 10)
            await services.products.get_supply("p-01")  # a connection is open

            await asyncio.to_thread(stack.supervisor.stop_program, "postgres")
            result = await admin.pause_sale(services, pause_of("p-01"))
            with pytest.raises(DatabaseUnavailable):
                await record_pauses(services)
            await asyncio.to_thread(stack.start, stack.database)
            recorded = await record_pauses(services)

            assert isinstance(result, UnrecordedPause)
            assert await claim(services, "p-01") is Refusal.SALE_NOT_OPEN
            assert recorded == 1
            assert [e.outcome for e in await audit_of(services, "p-01")] == ["done"]
