"""Faults in the middle of a sale. Times are seconds after the start of the sale."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from loadtest.bench.results import Fault
from loadtest.bench.shop import Shop

Breaker = Callable[[Shop], Coroutine[Any, Any, Fault]]


def postgres_outage(begin: float, end: float) -> Breaker:
    """Return a fault that stops PostgreSQL at `begin` and starts it again at `end`."""

    async def run(shop: Shop) -> Fault:
        began = time.monotonic()
        await asyncio.sleep(begin)
        await asyncio.to_thread(shop.stack.supervisor.stop_program, shop.stack.database.name)
        await asyncio.sleep(max(0.0, began + end - time.monotonic()))
        await asyncio.to_thread(shop.stack.start, shop.stack.database)
        return Fault(name="PostgreSQL is down", begin=begin, end=time.monotonic() - began)

    return run
