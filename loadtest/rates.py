"""`make bench-rates`: how fast V4 and V5 sell on the ASGI edge, in turn with an echo route.

All figures are measured during the run. This client, the edge, the relay process, Valkey, the
emulator, the functions and PostgreSQL share one machine. `make bench-handler` measures the Lambda
edge.
"""

import asyncio
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from flashsale.usecases.books import Books
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.console import console, number, step, table
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.sale.answers import CLEAR, AnswerKind
from flashsale_local.sale.demo import await_orders
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack import edge
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.program import HOST
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from loadtest.client import closed_loop, constant_rate
from loadtest.on_sale import purchases, put_on_sale
from loadtest.samples import Load, spread

GENERATIONS = (4, 5)
CONNECTIONS = 64
ROUNDS = 5
ECHO_SECONDS, SALE_SECONDS = 4.0, 8.0
# The first rate suits a fast machine, the second one a slow machine.
RATES, RATE_SECONDS = (1000, 400), 10.0
LONE_ORDERS = 5
BENCH_PORT = 8010
ECHO = "/echo"

AddRow = Callable[..., None]
Buyers = Callable[[Endpoint, str, Iterator[str]], Awaitable[Load]]


@dataclass(frozen=True, slots=True)
class Sold:
    """One run of buyers of a generation.

    Attributes:
        written: seconds from the first purchase until every accepted order was written.
        calls: calls that carried its orders to SQS.

    """

    load: Load
    books: Books
    written: float
    calls: float

    @property
    def accepted(self) -> int:
        """The purchases that were accepted."""
        return self.load.count(AnswerKind.ACCEPTED)

    @property
    def failed(self) -> int:
        """The attempts that were not made, or whose answer was neither "sold" nor "sold out"."""
        return len(self.load.samples) + self.load.dropped - sum(map(self.load.count, CLEAR))


@dataclass(frozen=True, slots=True)
class Bench:
    """The server under load: the application of the ASGI edge, and an echo route beside it."""

    target: Target
    url: str
    relay_metrics: str

    def echo(self, seconds: float) -> Load:
        """Send requests to the echo route, over all connections."""
        bodies = purchases("echo")
        return _run(closed_loop(Endpoint(self.url), ECHO, bodies, CONNECTIONS, seconds))

    def sell(self, generation: int, buyers: Buyers) -> Sold:
        """Send these buyers to a new sale, and wait until their orders are written."""
        product_id = put_on_sale(self.target, f"rates-v{generation}")
        before, began = self._calls(), time.monotonic()
        path = f"/api/v{generation}/buy"
        load = _run(buyers(Endpoint(self.url), path, purchases(product_id)))
        accepted = load.count(AnswerKind.ACCEPTED)
        books = with_services(
            self.target,
            lambda services: await_orders(self.target, services, product_id, accepted),
        )
        return Sold(load, books, time.monotonic() - began, self._calls() - before)

    def refuse(self, generation: int, seconds: float) -> Load:
        """Send buyers to a product of which no unit is left, over all connections."""
        bodies = purchases(put_on_sale(self.target, f"sold-out-v{generation}", 0))
        path = f"/api/v{generation}/buy"
        return _run(closed_loop(Endpoint(self.url), path, bodies, CONNECTIONS, seconds))

    def _calls(self) -> float:
        pages = (httpx.get(url, timeout=10) for url in (f"{self.url}/metrics", self.relay_metrics))
        return sum(
            sample.value
            for page in pages
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
            if sample.name == "flashsale_sqs_calls_total"
        )


def main() -> None:
    """Measure and print everything."""
    rows = table("V4 and V5 on the ASGI edge", "what", "median", "min – max")
    with _bench() as bench:
        asyncio.run(warm_up(bench.target))
        for name, measure in MEASUREMENTS.items():
            with step(name):
                measure(bench, rows.add_row)
    console.print(rows)
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")


@contextmanager
def _bench() -> Iterator[Bench]:
    """Start the same server as the ASGI edge, with an echo route."""
    stack, target = Stack(LOCAL), start_asgi_edge(start())
    web = edge.web(LOCAL, BENCH_PORT, target)
    program = replace(web, name="bench", command=[*web.command, "loadtest.echo:app"])
    stack.add(program)
    try:
        yield Bench(target, web.url, f"http://{HOST}:{stack.relay_port}/metrics")
    finally:
        stack.supervisor.stop_program(program.name)


def _lone(bench: Bench, add_row: AddRow) -> None:
    """Measure an order on an idle system, until it is CONFIRMED."""
    for generation in GENERATIONS:
        product_id = put_on_sale(bench.target, f"rates-v{generation}")
        seconds = [_confirmed_after(bench, generation, product_id) for _ in range(LONE_ORDERS)]
        add_row(f"lone order of V{generation}: CONFIRMED after, s", *spread(seconds, 2))


def _confirmed_after(bench: Bench, generation: int, product_id: str) -> float:
    place = "/api/v5/orders" if generation == 5 else "/api/orders"
    with httpx.Client(base_url=bench.url, timeout=30) as http:
        began = time.monotonic()
        body = {"productId": product_id, "userId": "u-00001"}
        order_id = http.post(f"/api/v{generation}/buy", json=body).json()["orderId"]
        while http.get(f"{place}/{order_id}").json().get("status") != "CONFIRMED":
            time.sleep(0.01)
        return time.monotonic() - began


def _closed(bench: Bench, add_row: AddRow) -> None:
    """Measure what all connections can buy, and how fast they are turned away."""
    echo: list[float] = []
    sold: dict[int, list[Sold]] = defaultdict(list)
    refused: dict[int, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        echo.append(bench.echo(ECHO_SECONDS).rate(200))
        for generation in GENERATIONS:
            sold[generation].append(bench.sell(generation, _all_connections))
        for generation in GENERATIONS:
            load = bench.refuse(generation, ECHO_SECONDS)
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


def _all_connections(endpoint: Endpoint, path: str, bodies: Iterator[str]) -> Awaitable[Load]:
    return closed_loop(endpoint, path, bodies, CONNECTIONS, SALE_SECONDS)


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
            load = _run(_at(rate)(Endpoint(bench.url), ECHO, purchases("echo")))
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


def _run(running: Awaitable[Load]) -> Load:
    async def run() -> Load:
        return await running

    return uvloop.run(run())


MEASUREMENTS: dict[str, Callable[[Bench, AddRow], None]] = {
    "a lone order on an idle system, until it is CONFIRMED": _lone,
    "a closed loop over 64 connections": _closed,
    "constant rates, in turn with the echo route": _constant,
}


if __name__ == "__main__":
    main()
