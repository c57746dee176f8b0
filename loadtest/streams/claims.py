"""Measures claims while thousands listen to their sale."""

from collections.abc import Iterator
from contextlib import nullcontext

import uvloop

from flashsale.domain.model import V5
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.queues.drain import drain
from loadtest.bench_server import DRAIN_DEADLINE, Bench
from loadtest.client import constant_rate
from loadtest.finding import Finding, ratios
from loadtest.on_sale import purchases, put_on_sale
from loadtest.samples import Load
from loadtest.streams.costs import MANY
from loadtest.streams.crowd import crowd

ROUNDS, RATE, SECONDS = 3, 300, 8.0
GOAL = 1.25


def claim_in_turn(bench: Bench, port: int) -> list[Finding]:
    """Claim at a constant rate, in turn without listeners and with many of the same sale."""
    p95: dict[bool, list[float]] = {False: [], True: []}
    for number in range(ROUNDS + 1):
        for listened in (False, True) if number % 2 else (True, False):
            product_id = put_on_sale(bench.target, "streams-sale")
            with crowd(port, product_id, MANY) if listened else nullcontext():
                load: Load = uvloop.run(_claim(bench, product_id))
            assert set(load.statuses) == {202}, load.statuses
            if number:  # the first round loads what the workers and the functions need
                p95[listened].append(load.percentile_ms(95))
            drain(bench.target.queues, DRAIN_DEADLINE)
    return [
        Finding(f"p95 of {RATE} claims/s, ms: nobody listens", p95[False], digits=1),
        Finding(f"  {MANY:,} listeners", p95[True], digits=1),
        Finding("  with ÷ without", ratios(p95[True], p95[False]), most=GOAL),
    ]


async def _claim(bench: Bench, product_id: str) -> Load:
    bodies: Iterator[str] = purchases(product_id)
    path = f"/api/v{V5}/buy"
    return await constant_rate(Endpoint(bench.url), path, bodies, RATE, SECONDS)
