"""`make bench`: run all sales, write results.json, and write the report from it.

QUICK=1 runs each sale once and shorter. FULL=1 runs them as long as the original did, which takes
hours. REPORT=<folder> sets the folder to write to. `python -m loadtest.bench report` only writes
the report again. `python -m loadtest.bench kills` only kills web workers, and writes what was lost
into the results that are there.
"""

import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.console import console, errors, show_table, step
from flashsale_local.paths import LOCAL
from loadtest.bench import ramp
from loadtest.bench.about import describe
from loadtest.bench.faults import Breaker, postgres_outage
from loadtest.bench.kills import kill_workers, unexpected
from loadtest.bench.report import write_report
from loadtest.bench.results import GENERATIONS, Edge, Kills, Results, Sale
from loadtest.bench.sale import PlannedSale, hold
from loadtest.bench.shop import Shop, open_shop
from loadtest.bench.terminal import summary
from loadtest.edge import constant_function
from loadtest.profiles import Profile

SPIKE = Profile.named("spike")
ATTEMPTS = len(list(SPIKE.arrivals()))
SCARCE, ABUNDANT = 5_000, 10_000_000
KILLS = "python -m loadtest.bench kills"
# During a fault, the load is constant at this share of the spike's peak.
FAULT_SHARE = 0.15


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        time: scales the spike's duration.
        fault: seconds that a sale with a fault lasts.
        kills: how often a web worker is killed.
        long_outage: seconds without PostgreSQL, so that messages end in the dead-letter queue.
        thorough: whether to run the long outage, outages of V1 and V2, and abundant stock on the
            Lambda edge.

    """

    time: float
    repeats: int
    fault: float
    kills: int
    long_outage: float
    thorough: bool = True


SIZES = {
    "": Size(time=0.2, repeats=3, fault=15.0, kills=5, long_outage=45.0),
    "QUICK": Size(time=0.06, repeats=1, fault=8.0, kills=5, long_outage=0.0, thorough=False),
    "FULL": Size(time=1.0, repeats=3, fault=60.0, kills=20, long_outage=90.0),
}


def main() -> None:
    """Run the benchmark."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the benchmark causes outages itself
    folder = Path(os.environ.get("REPORT") or LOCAL / "bench" / "report")
    match sys.argv[1:]:
        case []:
            _measure(folder)
        case ["kills"]:
            _measure_kills(folder)
        case ["report"]:
            pass
        case other:
            errors.print(f"There is no {' '.join(other)!r}. Say nothing, 'report' or 'kills'.")
            sys.exit(2)
    results = Results.load(folder / "results.json")
    write_report(results, folder)
    show_table(summary(results))
    console.print(
        f"The report: {folder / 'report.html'} (one file) and {folder / 'report.md'}",
        soft_wrap=True,
    )
    found = [_line(sale) for sale in results.sales if sale.broken]
    if results.kills:
        found += unexpected(results.kills)
    if found:
        console.print("\n".join(["[red]The invariant broke:[/]", *found]))
        sys.exit(1)


def _measure(folder: Path) -> None:
    name = _size()
    size, began = SIZES[name], time.monotonic()
    with open_shop(LOCAL / "bench") as shop:
        command = f"{name}=1 make bench" if name else "make bench"
        results = Results(about=describe(shop, command, size.repeats))
        try:
            uvloop.run(_run(shop, results, size))
        finally:
            results.about.minutes = (time.monotonic() - began) / 60
            results.save(folder / "results.json")


def _measure_kills(folder: Path) -> None:
    results = Results.load(folder / "results.json")
    with open_shop(LOCAL / "bench") as shop:
        results.kills = uvloop.run(_kill(shop, SIZES[_size()].kills))
    results.save(folder / "results.json")


async def _kill(shop: Shop, times: int) -> Kills:
    async with shop.target.services() as services:
        return await kill_workers(shop.stack, shop.target, services, times, KILLS)


def _size() -> str:
    return next((name for name in ("QUICK", "FULL") if os.environ.get(name)), "")


async def _run(shop: Shop, results: Results, size: Size) -> None:
    async with shop.target.services() as services:
        with step("what this machine can offer") as done:
            results.edges = await _edges(shop)
            done(
                "; ".join(
                    f"{e.name}: {e.sustained:.0f}/s, so {e.peak:.0f}/s" for e in results.edges
                )
            )
        spikes = {
            edge.name: SPIKE.scaled(edge.peak / SPIKE.peak, size.time) for edge in results.edges
        }
        results.about.seconds = SPIKE.seconds * size.time
        sales = [
            planned
            for repeat in range(size.repeats)
            for planned in _spikes(spikes, repeat)
            if size.thorough or (planned.edge, planned.kind) != ("lambda", "abundant")
        ]
        sales += _faults(spikes["asgi"].peak * FAULT_SHARE, size)
        results.order = [planned.product_id for planned in sales]
        for number, planned in enumerate(sales, 1):
            with step(f"{number} of {len(sales)}: {planned.product_id}") as done:
                sale = await hold(shop, services, planned)
                results.sales.append(sale)
                done(f"{number} of {len(sales)}: {_line(sale)}")
        results.kills = await kill_workers(
            shop.stack, shop.target, services, size.kills, results.about.command
        )


async def _edges(shop: Shop) -> list[Edge]:
    echo = await ramp.sustained_rate(shop.target.edges["asgi"], "/echo")
    with constant_function(shop.target) as url:
        constant = await ramp.sustained_rate(Endpoint(url.rstrip("/")), "/")
    return [
        Edge(name="lambda", floor="a function that returns a constant", sustained=constant,
             peak=ramp.peak(constant)),
        Edge(name="asgi", floor="a route that echoes its body", sustained=echo,
             peak=ramp.peak(echo)),
    ]  # fmt: skip


def _spikes(spikes: dict[str, Profile], repeat: int) -> Iterator[PlannedSale]:
    """Yield each generation, edge and stock once, in an order that depends on `repeat` only."""
    sales = [
        PlannedSale(kind, generation, edge, repeat, units, spike)
        for edge, spike in spikes.items()
        for generation in GENERATIONS
        for kind, units in (
            ("scarce", round(SCARCE * len(list(spike.arrivals())) / ATTEMPTS)),
            ("abundant", ABUNDANT),
        )
    ]
    random.Random(repeat).shuffle(sales)  # noqa: S311 - not for security
    yield from sales


def _faults(rate: float, size: Size) -> Iterator[PlannedSale]:
    seconds = size.fault
    load = Profile(rate, ((seconds, rate),))

    def plan(kind: str, generation: int, breaker: Breaker) -> PlannedSale:
        return PlannedSale(kind, generation, "asgi", 0, ABUNDANT, load, breaker)

    for generation in GENERATIONS if size.thorough else (3, 4, 5):
        yield plan("outage", generation, postgres_outage(seconds / 4, seconds * 0.6))
    for generation in (4, 5):
        if size.thorough:
            breaker = postgres_outage(seconds / 2, seconds / 2 + size.long_outage)
            yield plan("long outage", generation, breaker)


def _line(sale: Sale) -> str:
    return (
        f"V{sale.generation} {sale.edge}, {sale.kind}: {sale.accepted} of {sale.offered} accepted, "
        f"p95 {sale.p95:.0f} ms, {sale.failed} failed, {sale.throttled} throttled, "
        f"oversold {sale.oversold}, lost {sale.lost}"
    )


if __name__ == "__main__":
    main()
