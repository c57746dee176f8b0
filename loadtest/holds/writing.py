"""Measures what a hold costs when orders are written, and in the server of Redis."""

import time
from collections import defaultdict

from flashsale.services import Services
from loadtest.finding import Finding, ratios
from loadtest.holds.shop import Shop, batches_of

ROUNDS, ORDERS, HOLD = 9, 5_000, 600


async def write_in_turn(shop: Shop) -> list[Finding]:
    """Write orders of products with and without a hold, in turn.

    The time of the scripts is the one that Redis counts for EVALSHA, which writing uses for nothing
    but to settle claims or to hold them.
    """
    rates: dict[int, list[float]] = defaultdict(list)
    costs: dict[int, list[float]] = defaultdict(list)
    await _write(shop, HOLD)  # it loads the scripts and fills caches
    await _write(shop, 0)
    for number in range(ROUNDS):
        # The order alternates, so that neither is always first.
        for hold in (0, HOLD) if number % 2 else (HOLD, 0):
            rate, cost = await _write(shop, hold)
            rates[hold].append(rate)
            costs[hold].append(cost)
    return [
        Finding("orders written per second without a hold", rates[0], digits=0),
        Finding("  with a hold", rates[HOLD], digits=0),
        Finding("  with ÷ without, pair by pair", ratios(rates[HOLD], rates[0]), least=0.85),
        Finding("settle.lua, µs a claim in the server", costs[0]),
        Finding("hold.lua, µs a claim in the server", costs[HOLD]),
        Finding("  hold ÷ settle, pair by pair", ratios(costs[HOLD], costs[0]), most=1.2),
    ]


async def _write(shop: Shop, hold_seconds: int) -> tuple[float, float]:
    """Return orders per second, and the script's µs for each order."""
    product_id = await shop.put_on_sale(hold_seconds, ORDERS)
    batches = batches_of(await shop.claim(product_id, ORDERS))
    before, began = await _in_scripts(shop.services), time.perf_counter()
    await shop.write(batches)
    seconds = time.perf_counter() - began
    return ORDERS / seconds, (await _in_scripts(shop.services) - before) / ORDERS


async def _in_scripts(services: Services) -> float:
    """Return the µs that Redis has spent in EVALSHA so far."""
    calls = await services.redis.info("commandstats")
    return float(calls["cmdstat_evalsha"]["usec"])
