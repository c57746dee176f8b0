"""Measures how soon the units of holds that end together are on sale again, and who waits."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashsale.redis_store.scripts import Keys
from flashsale.usecases.holds import expire_holds
from flashsale_local.paths import ROOT
from loadtest.finding import Finding, ratios
from loadtest.holds.claimer import RATE
from loadtest.holds.shop import Shop
from loadtest.samples import percentile_ms

ROUNDS, HOLDS, HOLD = 5, 10_000, 600
# Seconds of claims before the sweep, with which those during it are compared, and those before
# them, in which the process of the claims gets going.
BEFORE, START = 5.0, 2.0
# Units beside those that are held; the claims of a round take them.
REST = 100_000

# They end within one second, and the grace period after it is over.
END_TOGETHER = """
UPDATE orders SET expires_at = now() - make_interval(secs => %s + random())
WHERE product_id = %s AND status = 'RESERVED'
"""

# Pairs: when a claim was due, and the seconds until its answer.
Claims = list[tuple[float, float]]


async def expire_at_once(shop: Shop) -> list[Finding]:
    """Let holds end within one second and sweep once, while a buyer in a process claims."""
    seconds: list[float] = []
    before: list[float] = []
    during: list[float] = []
    for _ in range(ROUNDS):
        orders = await shop.reserve(HOLD, HOLDS, HOLDS + REST)
        product_id = orders[0].product_id
        async with _claiming(shop, product_id) as claims:
            await asyncio.sleep(START + BEFORE)
            await _end_together(shop, product_id)
            began, started = time.time(), time.perf_counter()
            released = await expire_holds(shop.services)
            seconds.append(time.perf_counter() - started)
            ended = time.time()
        assert released == HOLDS
        before.append(_p95(claims, began - BEFORE, began))
        during.append(_p95(claims, began, ended))
    return [
        Finding(f"{HOLDS:,} holds on sale again after, s", seconds, most=10),
        Finding(f"claims at {RATE}/s before: p95, ms", before),
        Finding("  during the sweep: p95, ms", during),
        Finding("  during ÷ before, round by round", ratios(during, before), most=1.25),
    ]


async def _end_together(shop: Shop, product_id: str) -> None:
    """Move the ends of all holds to the past: that is quicker than to wait for them."""
    async with shop.services.database.transaction() as connection:
        await connection.execute(END_TOGETHER, [shop.services.settings.hold_grace, product_id])
    redis, holds = shop.services.redis, Keys(product_id).holds
    await redis.zunionstore(holds, {holds: 0})  # all scores become 0


@asynccontextmanager
async def _claiming(shop: Shop, product_id: str) -> AsyncIterator[Claims]:
    """Run a process that claims; the list has its claims after the block."""
    urls = shop.services.settings.redis_url, shop.services.settings.database_url
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtest.holds.claimer", *urls, product_id,
        cwd=ROOT, stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    claims: Claims = []
    try:
        yield claims
        written, _ = await process.communicate(b"")  # it ends the input
        claims += json.loads(written)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _p95(claims: Claims, start: float, end: float) -> float:
    return percentile_ms((seconds for due, seconds in claims if start <= due < end), 95)
