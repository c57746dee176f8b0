"""`make bench-handler`: what one invocation costs, in process and on the emulated Lambda edge.

All figures are measured during the run.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from flashsale.services import Services
from flashsale_local.console import console, step, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.queues.drain import drain
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack.start import start
from loadtest.claims import claim_costs
from loadtest.cold_start import cold_start, first_events
from loadtest.edge import DRAIN_DEADLINE, constant_function, requests_per_second
from loadtest.machine import machine
from loadtest.samples import spread

CALLS = 1000
COLD_STARTS = 7
ROUNDS = 3
SECONDS = 8.0
STOCK = 10_000_000
# Milliseconds for which another relay holds the lease; it gives the lease back after the calls.
LEASE = 3_600_000


def main() -> None:
    """Measure and print everything."""
    target = start(as_processes=True)
    run = f"bench-{int(time.time()):x}"
    on_sale, on_sale_v5, led = f"{run}-v4", f"{run}-v5", f"{run}-led"
    sold_out, not_sold = f"{run}-out", f"{run}-none"

    async def prepare(services: Services) -> None:
        stocked = [on_sale, on_sale_v5, led]
        await seed(services, user_ids(3000), stocked, STOCK)
        await seed(services, [], [sold_out], 0)
        for product_id in stocked:
            await services.stock.open_sale(product_id, STOCK)
        await services.stock.open_sale(sold_out, 0)
        await services.ledger.renew_lease(led, "bench", LEASE)

    async def hand_over(services: Services) -> None:  # so that the sweep relays these claims
        await services.ledger.renew_lease(led, "bench", 0)

    with_services(target, prepare)
    os.environ.update(_environment(target))
    rows = table("Functions", "what", "median", "min – max")
    with step("cold starts"):
        for name, event in first_events(on_sale, _event(4, sold_out)).items():
            starts = [cold_start(name, event) for _ in range(COLD_STARTS)]
            imports, firsts = zip(*starts, strict=True)
            rows.add_row(f"import of {name.lower()}, ms CPU", *_milliseconds(imports, digits=0))
            rows.add_row("  its first invocation, ms CPU", *_milliseconds(firsts, digits=0))
    with step("CPU per invocation in process"):
        for name, times in _invocations(on_sale, sold_out, not_sold, led).items():
            rows.add_row(f"{name}, ms CPU", *_milliseconds(times, digits=2))
    with_services(target, hand_over)
    with step("the emulated Lambda edge, interleaved with its floor"):
        _add_rates(rows, "edge: {}, requests/s", _edge(target, on_sale, on_sale_v5, sold_out))
    with step("what a claim costs Valkey"):
        _add_rates(rows, "Valkey: {}, calls/s", dict(claim_costs(target.redis_url)))
    console.print(rows)
    console.print(machine())


def _milliseconds(seconds: Sequence[float], digits: int) -> tuple[str, str]:
    return spread([second * 1e3 for second in seconds], digits)


def _add_rates(rows: Table, what: str, rates: Mapping[str, Sequence[float]]) -> None:
    """Add a row for each rate. The first one is the floor that the others are compared with."""
    floor: float | None = None
    for name, found in rates.items():
        rows.add_row(what.format(name), *spread(found, 0))
        if floor is None:
            floor = statistics.median(found)
        else:
            rows.add_row("  × the floor", f"{statistics.median(found) / floor:.2f}", "")


def _environment(target: Target) -> dict[str, str]:
    """Return the variables of a function's execution environment."""
    return {
        "REDIS_URL": target.redis_url,
        "DATABASE_URL": target.database_url,
        "ORDERS_QUEUE_URL": target.queues["orders"],
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "POWERTOOLS_SERVICE_NAME": "flashsale",
        "POWERTOOLS_METRICS_NAMESPACE": "flashsale",
        **target.aws_environment,
    }


Handler = Callable[[dict[str, Any], Any], Any]


def _invocations(on_sale: str, sold_out: str, not_sold: str, led: str) -> dict[str, list[float]]:
    """Measure the CPU seconds of each kind of invocation, in turn."""
    from mangum import Mangum  # noqa: PLC0415 - the variables must be set first

    from functions.buy.app import api, handler  # noqa: PLC0415

    bare = Mangum(api, lifespan="off")
    kinds: dict[str, tuple[Handler, dict[str, Any]]] = {
        "Mangum + FastAPI, body refused": (bare, _event(4, "")),
        "Mangum + FastAPI + one EVALSHA": (bare, _event(4, not_sold)),
        "the same with its log line and metric": (handler, _event(4, not_sold)),
        "V4 sold out": (handler, _event(4, sold_out)),
        "V4 accepted, SQS called": (handler, _event(4, on_sale)),
        "V5 sold out": (handler, _event(5, sold_out)),
        "V5 accepted, another process relays": (handler, _event(5, led)),
    }
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (invoke, event) in kinds.items():
            found[name].append(_cpu_per_call(invoke, event))
    return found


def _event(generation: int, product_id: str) -> dict[str, Any]:
    path = f"/api/v{generation}/buy"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "localhost"},
        "requestContext": {
            "requestId": "bench",
            "http": {"method": "POST", "path": path, "sourceIp": "127.0.0.1"},
        },
        "body": f'{{"productId": "{product_id}", "userId": "u-00001"}}',
        "isBase64Encoded": False,
    }


def _cpu_per_call(handler: Handler, event: dict[str, Any]) -> float:
    stdout = os.dup(1)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - os.dup2 needs a file descriptor
        os.dup2(nowhere.fileno(), 1)
        try:
            for _ in range(CALLS // 10):
                handler(event, None)
            started = time.process_time()
            for _ in range(CALLS):
                handler(event, None)
            return (time.process_time() - started) / CALLS
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)


def _edge(target: Target, on_sale: str, on_sale_v5: str, sold_out: str) -> dict[str, list[float]]:
    asyncio.run(warm_up(target))
    buy = f"{target.api.url}/api/v{{}}/buy"
    with constant_function(target) as constant_url:
        kinds = {
            "a constant": (constant_url, on_sale),
            "V4 accepted": (buy.format(4), on_sale),
            "V4 sold out": (buy.format(4), sold_out),
            "V5 accepted": (buy.format(5), on_sale_v5),
            "V5 sold out": (buy.format(5), sold_out),
        }
        rates: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(ROUNDS):
            for name, (url, product_id) in kinds.items():
                rates[name].append(requests_per_second(url, product_id, SECONDS))
                drain(target.queues, DRAIN_DEADLINE)
    return rates


if __name__ == "__main__":
    main()
