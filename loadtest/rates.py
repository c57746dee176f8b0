"""`make bench-rates`: how fast V4 and V5 sell on the ASGI edge, in turn with an echo route.

All figures are measured during the run. This client, the edge, the relay process, Valkey, the
emulator, the functions and PostgreSQL share one machine. `make bench-handler` measures the Lambda
edge.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

import httpx

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.console import console, number, step, table
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.warm_up import warm_up
from loadtest.bench_server import Bench, Buyers, Sold, bench_server
from loadtest.client import closed_loop, constant_rate
from loadtest.machine import machine
from loadtest.on_sale import put_on_sale
from loadtest.samples import Load, spread

GENERATIONS = (4, 5)
CONNECTIONS = 64
ROUNDS = 5
ECHO_SECONDS, SALE_SECONDS = 4.0, 8.0
# The first rate suits a fast machine, the second one a slow machine.
RATES, RATE_SECONDS = (1000, 400), 10.0
LONE_ORDERS = 5

AddRow = Callable[..., None]


def main() -> None:
    """Measure and print everything."""
    rows = table("V4 and V5 on the ASGI edge", "what", "median", "min – max")
    with bench_server() as bench:
        asyncio.run(warm_up(bench.target))
        for name, measure in MEASUREMENTS.items():
            with step(name):
                measure(bench, rows.add_row)
    console.print(rows)
    console.print(machine())


def _lone(bench: Bench, add_row: AddRow) -> None:
    """Measure an order on an idle system, until it is CONFIRMED."""
    for generation in GENERATIONS:
        product_id = put_on_sale(bench.target, f"rates-v{generation}")
        seconds = [_confirmed_after(bench, generation, product_id) for _ in range(LONE_ORDERS)]
        add_row(f"lone order of V{generation}: CONFIRMED after, s", *spread(seconds, 2))


def _confirmed_after(bench: Bench, generation: int, product_id: str) -> float:
    with httpx.Client(base_url=bench.url, timeout=30) as http:
        began = time.monotonic()
        body = {"productId": product_id, "userId": "u-00001"}
        answer = http.post(f"/api/v{generation}/buy", json=body)
        order = answer.url.join(answer.headers["location"])
        while http.get(order).json().get("status") != "CONFIRMED":
            time.sleep(0.01)
        return time.monotonic() - began


def _closed(bench: Bench, add_row: AddRow) -> None:
    """Measure what all connections can buy, and how fast they are turned away."""
    echo: list[float] = []
    sold: dict[int, list[Sold]] = defaultdict(list)
    refused: dict[int, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        echo.append(bench.echo(_all_for(ECHO_SECONDS)).rate(200))
        for generation in GENERATIONS:
            sold[generation].append(bench.sell(generation, _all_for(SALE_SECONDS)))
        for generation in GENERATIONS:
            load = bench.refuse(generation, _all_for(ECHO_SECONDS))
            refused[generation].append(load.count(AnswerKind.SOLD_OUT) / load.elapsed)
    add_row(f"closed loop, {CONNECTIONS} connections: the echo route, per second", *spread(echo, 0))
    for generation, runs in sold.items():
        accepted = [run.accepted / run.load.elapsed for run in runs]
        written = [run.accepted / run.written for run in runs]
        add_row(f"V{generation}: accepted per second", *spread(accepted, 0))
        add_row("  accepted and written per second", *spread(written, 0))
        add_row("  accepted and written × echo, round by round", *_ratios(written, echo))
        _add_percentiles(add_row, " ", runs)
        _add_outcome(add_row, runs)
    for generation, values in refused.items():
        add_row(f"V{generation}: “sold out” per second", *spread(values, 0))
        add_row("  × echo, round by round", *_ratios(values, echo))


def _all_for(seconds: float) -> Buyers:
    def buyers(endpoint: Endpoint, path: str, bodies: Iterator[str]) -> Awaitable[Load]:
        return closed_loop(endpoint, path, bodies, CONNECTIONS, seconds)

    return buyers


def _at(rate: int) -> Buyers:
    def buyers(endpoint: Endpoint, path: str, bodies: Iterator[str]) -> Awaitable[Load]:
        return constant_rate(endpoint, path, bodies, rate, RATE_SECONDS)

    return buyers


def _constant(bench: Bench, add_row: AddRow) -> None:
    """Measure constant rates, in turn with the echo route."""
    for rate in RATES:
        echo: list[float] = []
        sold: dict[int, list[Sold]] = defaultdict(list)

        for _ in range(ROUNDS):
            load = bench.echo(_at(rate))
            echo.append(load.percentile_ms(95))
            for generation in GENERATIONS:
                sold[generation].append(bench.sell(generation, _at(rate)))
        add_row(f"{rate}/s: echo p95, ms", *spread(echo))
        for generation, runs in sold.items():
            _add_percentiles(add_row, f"{rate}/s: V{generation}", runs)
            late = [run.written - run.load.elapsed for run in runs]
            add_row("  all written after the last answer, s", *spread(late))
            _add_outcome(add_row, runs)


def _add_percentiles(add_row: AddRow, name: str, runs: list[Sold]) -> None:
    for percent in (50, 95, 99):
        values = [run.load.percentile_ms(percent) for run in runs]
        add_row(f"{name} p{percent}, ms", *spread(values))


def _add_outcome(add_row: AddRow, runs: list[Sold]) -> None:
    accepted = sum(run.accepted for run in runs)
    add_row("  SQS calls per order", f"{sum(run.calls for run in runs) / accepted:.3f}", "")
    add_row("  attempts that failed", number(sum(run.failed for run in runs)), "")
    add_row("  units lost", number(sum(run.books.lost for run in runs)), "")


def _ratios(values: list[float], floors: list[float]) -> tuple[str, str]:
    return spread([value / floor for value, floor in zip(values, floors, strict=True)], 2)


MEASUREMENTS: dict[str, Callable[[Bench, AddRow], None]] = {
    "a lone order on an idle system, until it is CONFIRMED": _lone,
    "a closed loop over 64 connections": _closed,
    "constant rates, in turn with the echo route": _constant,
}


if __name__ == "__main__":
    main()
