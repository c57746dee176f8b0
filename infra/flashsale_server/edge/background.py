"""Background tasks of the ASGI edge: of the relay process, and of the web workers.

On Lambda they do not exist. There a claimer relays, and a scheduled function sweeps.
"""

import asyncio
import logging
from typing import Any, NoReturn

from tenacity import before_sleep_log, retry, wait_fixed

from flashsale.errors import ServiceUnavailable
from flashsale.redis_store.stock import EXPIRER, SWEEPER
from flashsale.services import Services
from flashsale.usecases.holds import expire_holds
from flashsale.usecases.pauses import record_pauses
from flashsale.usecases.provider_ends import refund_payments
from flashsale.usecases.relay import LEASE_MS, PROCESS_PACE, TOKEN, relay, sweep
from flashsale_server.edge.metrics import SWEPT
from flashsale_server.edge.process_metrics import PROCESS_METRICS

# Seconds between two sweeps.
SWEEP_EVERY = 60.0
# Seconds between two looks for holds that were not paid in time.
EXPIRE_EVERY = 5.0
# Seconds between two tries to write a file that could not be written.
REPAIR_EVERY = 1.0

logger = logging.getLogger(__name__)

# Every error is logged and retried, because nothing restarts a task. Most often Redis is down.
persistently = retry(wait=wait_fixed(0.5), before_sleep=before_sleep_log(logger, logging.WARNING))


async def relay_forever(services: Services) -> NoReturn:
    """Relay claims for all web workers, so that no worker has to; until cancelled."""
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
    """Sweep periodically; however many processes do this, only one sweeps in each period."""
    period = min(SWEEP_EVERY, services.settings.sweep_after)
    while True:
        await asyncio.sleep(period)
        await _sweep_in_turn(services, period)


@persistently
async def _sweep_in_turn(services: Services, period: float) -> None:
    if not await services.stock.take_turn(SWEEPER, period):
        return
    try:
        if recorded := await record_pauses(services):
            logger.info("%d pauses were written to the audit", recorded)
    except ServiceUnavailable as error:
        logger.warning("pauses stay in Redis until the audit can be written: %s", error)
    if swept := await sweep(services):
        SWEPT.inc(swept)
        logger.warning("swept %d claims that were unsettled too long", swept)


async def expire_forever(services: Services) -> NoReturn:
    """End payment holds and refund payments periodically; one process does so in each period."""
    while True:
        await asyncio.sleep(EXPIRE_EVERY)
        await _expire_in_turn(services)


@persistently
async def _expire_in_turn(services: Services) -> None:
    try:
        if not await services.stock.take_turn(EXPIRER, EXPIRE_EVERY):
            return
        released = await expire_holds(services)
        refunded = await refund_payments(services)
    except ServiceUnavailable as error:
        logger.debug("holds stay until a later look: %s", error)
        return
    if released:
        logger.info("%d units are on sale again, as they were not paid in time", released)
    if refunded:
        logger.info("%d payments were refunded", refunded)


async def repair_metrics_forever() -> NoReturn:
    """Keep the metrics of this worker in its file, whatever happens to the file or its disk."""
    while True:
        await asyncio.sleep(REPAIR_EVERY)
        PROCESS_METRICS.repair()


async def cancel(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait until it has ended.

    It may need more than one try: up to Python 3.11, `asyncio.wait_for` can swallow a cancellation.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.5)
