"""What runs beside the requests on this edge: the relay process, and the sweep of the web workers.

On Lambda neither exists: there a claimer relays, and a scheduled function sweeps.
"""

import asyncio
import logging
from typing import NoReturn

from tenacity import before_sleep_log, retry, wait_fixed

from flashsale.services import Services
from flashsale.usecases.relay import LEASE_MS, PROCESS_PACE, TOKEN, relay, sweep
from flashsale_server.edge.figures import FIGURES
from flashsale_server.edge.metrics import SWEPT

# Seconds between two sweeps.
SWEEP_EVERY = 60.0
# Seconds after which a file that could not be written is tried again.
MEND_EVERY = 1.0

logger = logging.getLogger(__name__)

# Whatever goes wrong (Redis is down, as a rule) is logged and tried again: nobody restarts a task.
persistently = retry(wait=wait_fixed(0.5), before_sleep=before_sleep_log(logger, logging.WARNING))


async def relay_for_all(services: Services) -> NoReturn:
    """Relay what claimers ask for, so that no web worker has to; until cancelled."""
    async with asyncio.TaskGroup() as relays:
        while True:
            product_id = await _next_product(services)
            if product_id is not None:
                relays.create_task(_take_over(services, product_id))


@persistently
async def _next_product(services: Services) -> str | None:
    await services.relay_inbox.announce()
    return await services.relay_inbox.take()


@persistently
async def _take_over(services: Services, product_id: str) -> None:
    if await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
        await relay(services, product_id, PROCESS_PACE)


async def sweep_forever(services: Services) -> NoReturn:
    """Sweep again and again, at most once a period however many processes do this."""
    period = min(SWEEP_EVERY, services.settings.sweep_after)
    while True:
        await asyncio.sleep(period)
        await _sweep_in_turn(services, period)


@persistently
async def _sweep_in_turn(services: Services, period: float) -> None:
    if await services.stock.take_sweep(period) and (swept := await sweep(services)):
        SWEPT.inc(swept)
        logger.warning("swept %d claims that were unsettled too long", swept)


async def keep_forever() -> NoReturn:
    """Keep this worker's figures in its file, whatever becomes of the file, its folder or disk."""
    while True:
        await asyncio.sleep(MEND_EVERY)
        FIGURES.repair()


async def end(task: "asyncio.Task[NoReturn]") -> None:
    """Cancel a task until it has ended: up to Python 3.11, `asyncio.wait_for` may swallow one."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.5)
