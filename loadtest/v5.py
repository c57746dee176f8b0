"""`make bench-v5`: how fast V5 claims, persists and confirms, compared with an echo route.

All figures are measured during the run. This client, the edge, the relay process, Valkey, the
emulator, the functions and PostgreSQL share one machine.
"""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import uvloop

from flashsale.services import Services
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.console import console, number, step, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack import edge
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from loadtest.claims import claim_costs
from loadtest.client import closed_loop, constant_rate
from loadtest.edge import constant_function, requests_per_second
from loadtest.on_sale import purchases, put_on_sale
from loadtest.samples import Load, spread

CONNECTIONS = 64
CLOSED_SECONDS = 30.0
# The first rate suits a fast machine, the second one a slow machine.
RATES, RATE_SECONDS, RUNS = (1000, 300), 10.0, 5
LONE_CLAIMS = 5
EDGE_ROUNDS, EDGE_SECONDS = 3, 8.0
BENCH_PORT = 8010
BUY = "/api/v5/buy"


def main() -> None:
    """Measure and print everything."""
    stack, target = Stack(LOCAL), start_asgi_edge(start())
    # The same server with an echo route.
    web = edge.web(LOCAL, BENCH_PORT, target)
    bench = replace(web, name="bench", command=[*web.command, "loadtest.echo:app"])
    stack.add(bench)
    rows = table("V5", "what", "median", "min – max")
    try:
        with step("what a claim costs Valkey"):
            for name, rates in claim_costs(target.redis_url):
                rows.add_row(f"claim.lua: {name}, calls/s", *spread(rates, 0))
        for name, measure in MEASUREMENTS.items():
            with step(name):
                measure(target, bench.url, rows.add_row)
    finally:
        stack.supervisor.stop_program(bench.name)
    console.print(rows)
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")


AddRow = Callable[..., None]


def _lone(target: Target, url: str, add_row: AddRow) -> None:
    """Measure a lone claim on an idle system, until it is CONFIRMED."""
    product_id = put_on_sale(target, "bench")
    asyncio.run(warm_up(target))
    for name, base in (("ASGI", url), ("Lambda", target.api.url)):
        seconds = [_confirmed_after(base, product_id) for _ in range(LONE_CLAIMS)]
        add_row(f"lone claim, {name} edge: CONFIRMED after, s", *spread(seconds, 2))


def _closed(target: Target, url: str, add_row: AddRow) -> None:
    """Measure a closed loop over 64 connections."""
    product_id = put_on_sale(target, "bench")

    def closed(path: str, seconds: float) -> Load:
        return _load(closed_loop(Endpoint(url), path, purchases(product_id), CONNECTIONS, seconds))

    echo = closed("/echo", CLOSED_SECONDS / 2)
    load = closed(BUY, CLOSED_SECONDS)
    ended = time.monotonic()
    with_services(target, lambda services: _until_settled(services, product_id))
    drained = time.monotonic() - ended
    again = closed("/echo", CLOSED_SECONDS / 2)
    persisted = with_services(target, lambda services: _confirmed(services, product_id))
    assert persisted == load.statuses[202], (persisted, load.statuses)
    floor = (echo.rate(200) + again.rate(200)) / 2
    add_row("closed loop: claims accepted per second", f"{load.rate(202):,.0f}", "")
    rate = persisted / (load.elapsed + drained)
    add_row("closed loop: claims accepted and persisted per second", f"{rate:,.0f}", "")
    add_row("closed loop: the echo route, per second", *spread([echo.rate(200), again.rate(200)]))
    add_row("  accepted and persisted × echo", f"{rate / floor:.2f}", "")
    add_row("  ledger empty after the last claim, s", f"{drained:.1f}", "")
    for percent in (50, 95, 99):
        add_row(f"  latency p{percent}, ms", f"{load.percentile_ms(percent):,.0f}", "")


def _constant(target: Target, url: str, add_row: AddRow) -> None:
    """Measure constant rates, in turn with the echo route."""
    for rate in RATES:
        _constant_rate(target, url, rate, add_row)


def _constant_rate(target: Target, url: str, rate: int, add_row: AddRow) -> None:
    product_id = put_on_sale(target, "bench")
    found: dict[str, list[Load]] = {"echo": [], "V5": []}
    relay_log = LOCAL / "logs" / "relay.log"
    calls_before = relay_log.read_text().count(f" claims of {product_id} ")
    for _ in range(RUNS):
        for name, path in (("echo", "/echo"), ("V5", BUY)):
            bodies = purchases(product_id)
            found[name].append(
                _load(constant_rate(Endpoint(url), path, bodies, rate, RATE_SECONDS))
            )
            with_services(target, lambda services: _until_settled(services, product_id))
    for name, loads in found.items():
        for percent in (50, 95, 99):
            values = [load.percentile_ms(percent) for load in loads]
            add_row(f"{rate}/s: {name} p{percent}, ms", *spread(values))
    ratios = [
        ours.percentile_ms(95) / echo.percentile_ms(95)
        for ours, echo in zip(found["V5"], found["echo"], strict=True)
    ]
    add_row("  p95 × echo, run by run", *spread(ratios, 2))
    refused = sum(load.statuses.total() - load.statuses[202] for load in found["V5"])
    add_row("  answers other than 202", number(refused), "")
    calls = relay_log.read_text().count(f" claims of {product_id} ") - calls_before
    accepted = sum(load.statuses[202] for load in found["V5"])
    add_row("  SQS calls per order", f"{calls / accepted:.4f}", "")


def _lambda_edge(target: Target, _: str, add_row: AddRow) -> None:
    """Measure the emulated Lambda edge, in turn with its floor."""
    product_id = put_on_sale(target, "bench")
    asyncio.run(warm_up(target))
    rates: dict[str, list[float]] = {"constant": [], "V5": []}
    with constant_function(target) as constant_url:
        for _round in range(EDGE_ROUNDS):
            for name, url in (("constant", constant_url), ("V5", target.api.url + BUY)):
                rates[name].append(requests_per_second(url, product_id, EDGE_SECONDS))
    for name, values in rates.items():
        add_row(f"Lambda edge: {name}, requests/s", *spread(values, 0))
    ratios = [v5 / floor for v5, floor in zip(rates["V5"], rates["constant"], strict=True)]
    add_row("  V5 × constant, run by run", *spread(ratios, 2))


def _load(running: Awaitable[Load]) -> Load:
    async def run() -> Load:
        return await running

    return uvloop.run(run())


def _confirmed_after(base_url: str, product_id: str) -> float:
    with httpx.Client(base_url=base_url, timeout=30) as http:
        started = time.monotonic()
        body = {"productId": product_id, "userId": "u-00001"}
        order_id = http.post("/api/v5/buy", json=body).json()["orderId"]
        while http.get(f"/api/v5/orders/{order_id}").json()["status"] == "PENDING":
            time.sleep(0.01)
        return time.monotonic() - started


async def _until_settled(services: Services, product_id: str) -> None:
    async with asyncio.timeout(300):
        while await services.ledger.count(product_id):  # noqa: ASYNC110 - other processes empty it
            await asyncio.sleep(0.02)


async def _confirmed(services: Services, product_id: str) -> int:
    rows = await services.database.fetch_all("select_books", ids=[product_id])
    return int(rows[0]["confirmed"])


MEASUREMENTS: dict[str, Callable[[Target, str, AddRow], None]] = {
    "a lone claim on an idle system, until it is CONFIRMED": _lone,
    "a closed loop over 64 connections": _closed,
    "constant rates, in turn with the echo route": _constant,
    "the emulated Lambda edge, in turn with its floor": _lambda_edge,
}


if __name__ == "__main__":
    main()
