"""`make bench-watching`: what monitoring costs, in accepted purchases and in CPU time.

The command starts a stack of its own and runs closed loops on the ASGI edge. Every second run has
the exporter and a Prometheus that scrapes the edge, the relay process and the exporter every 5 s.

The rates of two runs differ by more than monitoring costs. So the command also measures which share
of the CPU time of all servers the monitoring programs and their requests to /metrics take. The work
that the exporter causes in the stores counts as work of the stores.
"""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Iterator, Mapping

import httpx
import uvloop

from flashsale.services import Services
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.console import console, step, table
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.sale.seed import user_ids
from flashsale_local.stack import edge
from flashsale_local.stack.exporter import exporter
from flashsale_local.stack.program import HOST, Program
from flashsale_local.stack.prometheus import find_prometheus, prometheus, write_targets
from loadtest.bench.shop import USERS, Shop, open_shop
from loadtest.client import closed_loop
from loadtest.cpu import cpu_seconds, spent
from loadtest.machine import machine
from loadtest.samples import spread

PAIRS, SECONDS, CONNECTIONS, UNITS = 6, 15.0, 64, 10_000_000
DRAIN_DEADLINE = 120.0
# Requests to /metrics for one measurement, and seconds between two scrapes of Prometheus.
LOOKS, LOOK_EVERY = 200, 5.0
NAMES = {False: "not watched", True: "watched"}


def main() -> None:
    """Measure both kinds of runs and print the table."""
    if (binary := find_prometheus()) is None:
        raise Problem(
            "There is no prometheus on PATH.", "Install it with `apt install prometheus`."
        )
    with open_shop(LOCAL / "bench") as shop:
        watchers = _watchers(shop, binary)
        rates, shares = uvloop.run(_measure(shop, watchers))
    rows = table("V5, closed loop: accepted per second", "", "median", "min – max")
    for watched, name in NAMES.items():
        rows.add_row(name, *spread(rates[watched], 0))
    ratios = [seen / alone for alone, seen in zip(rates[False], rates[True], strict=True)]
    rows.add_row("watched / not watched, pair by pair", *spread(ratios, 3))
    console.print(rows)
    console.print(f"Watching costs {1 - statistics.median(ratios):.1%} of the rate.")
    percent = [share * 100 for share in shares]
    console.print(
        "Watchers and their pages, of all CPU time, in % (median, min – max):", *spread(percent, 2)
    )
    console.print(f"{PAIRS} pairs of {SECONDS:.0f} s, {CONNECTIONS} connections; {machine()}")


def _watchers(shop: Shop, binary: str) -> list[Program]:
    """Restart the relay process with its figures, and return the monitoring programs."""
    stack = shop.stack
    stack.add(edge.relay(shop.target, stack.relay_port))
    programs = [
        exporter(stack.exporter_port, shop.target),
        prometheus(binary, stack.directory, stack.prometheus_port),
    ]
    relay_url = f"http://{HOST}:{stack.relay_port}"
    urls = {"edge": shop.web.url, "relay": relay_url, "exporter": programs[0].url}
    write_targets(stack.directory, urls)
    return programs


async def _measure(
    shop: Shop, watchers: list[Program]
) -> tuple[dict[bool, list[float]], list[float]]:
    rates: dict[bool, list[float]] = {False: [], True: []}
    shares = []
    async with shop.target.services() as services:
        await _run(shop, services, "warm-up")
        for pair in range(PAIRS):
            # The order alternates, so that neither is always first.
            for watched in (False, True) if pair % 2 else (True, False):
                for program in watchers:
                    if watched:
                        await asyncio.to_thread(shop.stack.add, program)
                began, before = time.monotonic(), cpu_seconds(shop.stack)
                with step(f"pair {pair + 1} of {PAIRS}, {NAMES[watched]}") as done:
                    rate = await _run(shop, services, f"{pair}-{watched}")
                    done(f"{NAMES[watched]}: {rate:.0f}/s")
                rates[watched].append(rate)
                if watched:
                    shares.append(_share(shop, before, time.monotonic() - began))
                for program in reversed(watchers):
                    if watched:
                        await asyncio.to_thread(shop.stack.supervisor.stop_program, program.name)
    return rates, shares


def _share(shop: Shop, before: Mapping[str, float], seconds: float) -> float:
    """Return the share of monitoring in the CPU time of all servers, from 0 to 1."""
    used = spent(before, cpu_seconds(shop.stack))
    pages = {"edge": shop.web.url, "relay": f"http://{HOST}:{shop.stack.relay_port}"}
    watching = used["exporter"] + used["prometheus"]
    watching += seconds / LOOK_EVERY * sum(_cost_of_page(shop, *page) for page in pages.items())
    return watching / sum(used.values())


def _cost_of_page(shop: Shop, name: str, url: str) -> float:
    """Measure the CPU seconds that an idle server takes for one request to /metrics."""
    before = cpu_seconds(shop.stack)
    with httpx.Client(timeout=60) as http:
        for _ in range(LOOKS):
            http.get(f"{url}/metrics").raise_for_status()
    return spent(before, cpu_seconds(shop.stack))[name] / LOOKS


async def _run(shop: Shop, services: Services, name: str) -> float:
    product_id = f"watching-{name}-{time.time_ns():x}"
    await shop.reset(services, 5, product_id, UNITS)
    endpoint, bodies = Endpoint(shop.web.url), _bodies(product_id)
    load = await closed_loop(endpoint, "/api/v5/buy", bodies, CONNECTIONS, SECONDS)
    await shop.empty(services, DRAIN_DEADLINE)
    return load.rate(202)


def _bodies(product_id: str) -> Iterator[str]:
    for user_id in itertools.cycle(user_ids(USERS)):
        yield json.dumps({"productId": product_id, "userId": user_id})


if __name__ == "__main__":
    main()
