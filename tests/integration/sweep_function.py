"""The sweep function, run once on the stores of a test."""

import asyncio

from flashsale.runtime import process
from functions.sweep import app as sweeper
from tests.helpers.support import LambdaContext


async def run_all_but_the_sweep(settings, monkeypatch):
    """Run the function, which resends no claims: those of other tests are none of its business."""
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ORDERS_QUEUE_URL", settings.orders_queue_url)
    monkeypatch.setattr(sweeper, "sweep", lambda *_, **__: asyncio.sleep(0, 0))
    process.services.cache_clear()

    await asyncio.to_thread(sweeper.handler, {}, LambdaContext())

    await asyncio.to_thread(process.run, lambda own: own.close())
    process.services.cache_clear()
