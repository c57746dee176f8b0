"""`make bench-limits`: the CPU time and the waits that a purchase of each generation causes.

The ASGI edge of the running stack gets a constant rate that every generation can serve. The table
shows the CPU time of each server, the waits of PostgreSQL (pg_stat_activity) and the slow commands
of Valkey (SLOWLOG).
"""

import asyncio
import collections

import psycopg
import uvloop
from redis import Redis

from flashsale_local.console import console, step, table
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from loadtest.client import constant_rate
from loadtest.cpu import cpu_seconds, spent
from loadtest.on_sale import purchases, put_on_sale
from loadtest.samples import Load

SECONDS = 10.0
LOOK_EVERY = 0.05
# Generation and requests per second. V5 also gets a rate at which the others fail.
RUNS = ((1, 150), (2, 150), (3, 150), (4, 150), (5, 150), (5, 800))
SERVERS = ("edge", "relay", "ministack", "postgres", "valkey")
SLOW_US = 1000

WAITS = """
SELECT coalesce(wait_event_type || ' ' || wait_event, 'running') FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
AND state IN ('active', 'idle in transaction')
"""


def main() -> None:
    """Measure all generations and print the table."""
    target = start_asgi_edge(start(as_processes=True))
    titles = [f"V{generation} {rate}/s" for generation, rate in RUNS]
    rows = table("ms of CPU per accepted purchase", "", *titles)
    found = []
    for (generation, rate), title in zip(RUNS, titles, strict=True):
        with step(title):
            found.append(_measure(target, generation, rate))
    for name in found[0]:
        rows.add_row(name, *(column[name] for column in found))
    console.print(rows)


def _measure(target: Target, generation: int, rate: int) -> dict[str, str]:
    product_id = put_on_sale(target, f"limits-v{generation}")
    redis = Redis.from_url(target.redis_url)
    redis.config_set("slowlog-log-slower-than", SLOW_US)
    redis.slowlog_reset()
    before = cpu_seconds(Stack(LOCAL))
    load, waits = uvloop.run(_load(target, generation, rate, product_id))
    worked = spent(before, cpu_seconds(Stack(LOCAL)))
    slow = redis.slowlog_len()
    redis.config_set("slowlog-log-slower-than", 10_000)
    accepted = max(1, load.count(AnswerKind.ACCEPTED))
    used = {name: worked[name] / accepted * 1000 for name in SERVERS}
    return {
        **{name: f"{milliseconds:.2f}" for name, milliseconds in used.items()},
        "all of them": f"{sum(used.values()):.2f}",
        "accepted": f"{accepted / len(load.samples):.0%}",
        "p50, p95, ms": f"{load.percentile_ms(50):.0f}, {load.percentile_ms(95):.0f}",
        "sessions in a lock": f"{_mean(waits, 'Lock'):.2f}",
        "  waiting for the disk": f"{_mean(waits, 'IO'):.2f}",
        "  waiting for us": f"{_mean(waits, 'Client'):.2f}",
        "Valkey above 1 ms": str(slow),
    }


async def _load(
    target: Target, generation: int, rate: int, product_id: str
) -> tuple[Load, list[collections.Counter[str]]]:
    looks: list[collections.Counter[str]] = []
    endpoint, path = target.edges["asgi"], f"/api/v{generation}/buy"
    loading = asyncio.create_task(
        constant_rate(endpoint, path, purchases(product_id), rate, SECONDS)
    )
    async with await psycopg.AsyncConnection.connect(
        target.database_url, autocommit=True
    ) as connection:
        while not loading.done():
            cursor = await connection.execute(WAITS)
            looks.append(collections.Counter(row[0] for row in await cursor.fetchall()))
            await asyncio.wait([loading], timeout=LOOK_EVERY)
    return await loading, looks


def _mean(looks: list[collections.Counter[str]], kind: str) -> float:
    """Return the average number of sessions that were seen waiting for this kind of event."""
    seen = sum(count for look in looks for name, count in look.items() if name.startswith(kind))
    return seen / len(looks)


if __name__ == "__main__":
    main()
