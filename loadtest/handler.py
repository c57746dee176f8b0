"""`make bench-handler`: what one invocation costs, in process and on the emulated Lambda edge.

Every figure is measured when you run it; nothing is read from a file.
"""

import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from flashsale.bootstrap import Services
from infra.cli.console import console, step, table, with_services
from infra.cli.stack import start
from infra.deploy import BUILT
from infra.paths import EMULATOR_VENV
from infra.seed import seed, user_ids
from infra.target import Target
from infra.warm_up import warm_up
from loadtest.edge import constant_function, requests_per_second

CALLS = 3000
IMPORTS = 7
ROUNDS = 3
SECONDS = 8.0
STOCK = 10_000_000


def main() -> None:
    """Measure and print everything."""
    target = start()
    run = f"bench-{int(time.time()):x}"
    on_sale, sold_out = f"{run}-on", f"{run}-out"

    async def prepare(services: Services) -> None:
        await seed(services, user_ids(3000), [on_sale], STOCK)
        await seed(services, [], [sold_out], 0)
        await services.stock.open_sale(on_sale, STOCK)
        await services.stock.open_sale(sold_out, 0)

    with_services(target, prepare)
    rows = table("Functions", "what", "median", "min – max")
    with step("import times"):
        for name in ("Buy", "Order", "Rollback", "Migrate"):
            times = [_import_seconds(name) * 1000 for _ in range(IMPORTS)]
            rows.add_row(f"import of {name.lower()}, ms", *_spread(times))
    with step("CPU per invocation in process"):
        for name, handler, event in _invocations(target, sold_out):
            times = [_cpu_per_call(handler, event) * 1e3 for _ in range(ROUNDS)]
            rows.add_row(f"{name}, ms CPU", *_spread(times, digits=3))
    with step("the emulated Lambda edge, interleaved with its floor"):
        rates = _edge(target, on_sale, sold_out)
    floor = statistics.median(rates["constant"])
    for name, found in rates.items():
        rows.add_row(f"edge: {name}, requests/s", *_spread(found, digits=0))
        rows.add_row("  × constant", f"{statistics.median(found) / floor:.2f}", "")
    console.print(rows)
    console.print(f"{platform.platform()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")


def _spread(values: list[float], digits: int = 1) -> tuple[str, str]:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f}", f"{low:.{digits}f} – {high:.{digits}f}"


def _import_seconds(function: str) -> float:
    """Seconds that `import app` takes in a fresh interpreter, with what is deployed."""
    path = os.pathsep.join(
        [str(BUILT / "SharedLayer" / "python"), str(BUILT / f"{function}Function")]
    )
    code = "import time; t = time.perf_counter(); import app; print(time.perf_counter() - t)"
    done = subprocess.run(
        [str(EMULATOR_VENV / "bin" / "python"), "-c", code],
        env={**os.environ, "PYTHONPATH": path, **_powertools()},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _powertools() -> dict[str, str]:
    return {"POWERTOOLS_SERVICE_NAME": "flashsale", "POWERTOOLS_METRICS_NAMESPACE": "flashsale"}


Handler = Callable[[dict[str, Any], Any], Any]


def _invocations(target: Target, sold_out: str) -> list[tuple[str, Handler, dict[str, Any]]]:
    os.environ.update(
        REDIS_URL=target.redis_url,
        DATABASE_URL=target.database_url,
        ORDERS_QUEUE_URL=target.queues["orders"],
        **_powertools(),
    )
    from mangum import Mangum  # noqa: PLC0415 - the environment comes first

    from functions.buy.app import api, handler  # noqa: PLC0415

    bare = Mangum(api, lifespan="off")
    buy = _event(f'{{"productId": "{sold_out}", "userId": "u-00001"}}')
    invalid = _event("{}")
    return [
        ("Mangum + FastAPI, body refused", bare, invalid),
        ("Mangum + FastAPI + one EVALSHA", bare, buy),
        ("the same with its log line and metric", handler, buy),
    ]


def _event(body: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/api/v4/buy",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "localhost"},
        "requestContext": {
            "requestId": "bench",
            "http": {"method": "POST", "path": "/api/v4/buy", "sourceIp": "127.0.0.1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _cpu_per_call(handler: Handler, event: dict[str, Any]) -> float:
    stdout = os.dup(1)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a descriptor is needed
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


def _edge(target: Target, on_sale: str, sold_out: str) -> dict[str, list[float]]:
    asyncio.run(warm_up(target))
    rates: dict[str, list[float]] = {"constant": [], "V4 accepted": [], "V4 sold out": []}
    with constant_function(target) as constant_url:
        for _ in range(ROUNDS):
            for name, url, product_id in (
                ("constant", constant_url, on_sale),
                ("V4 accepted", f"{target.api.url}/api/v4/buy", on_sale),
                ("V4 sold out", f"{target.api.url}/api/v4/buy", sold_out),
            ):
                rates[name].append(requests_per_second(url, product_id, SECONDS))
    return rates


if __name__ == "__main__":
    main()
