"""Measures what listeners cost: memory and CPU of the web workers, commands of Redis."""

import time

import psutil
from redis import Redis

from flashsale_local.paths import LOCAL
from flashsale_local.stack.stack import Stack
from loadtest.bench_server import Bench
from loadtest.cpu import cpu_seconds
from loadtest.finding import Finding
from loadtest.on_sale import put_on_sale
from loadtest.rooms.polls import Counted
from loadtest.streams.crowd import crowd

FEW, MANY = 10, 2_000
# Two times that a sale which does not change is sent again.
SECONDS = 20.0


def cost_of_listeners(bench: Bench, port: int) -> list[Finding]:
    """Let few and many clients listen to a sale that does not change."""
    product_id, redis = (
        put_on_sale(bench.target, "streams-idle"),
        Redis.from_url(bench.target.redis_url),
    )
    # First, because a worker keeps for itself what many listeners have needed.
    with crowd(port, product_id, FEW):
        few_cpu, few = _over(SECONDS, redis)
        memory = _memory()
    with crowd(port, product_id, MANY):
        time.sleep(1)
        grown = _memory() - memory
        many_cpu, many = _over(SECONDS, redis)
    each = (many_cpu - few_cpu) / SECONDS / (MANY - FEW) * 1000
    return [
        Finding("memory of an idle stream, KB", [grown / 1024 / (MANY - FEW)], most=30, digits=1),
        Finding("  CPU of the worker, ms a second", [each], most=0.1, digits=3),
        Finding(f"Redis commands a second, {FEW} listeners", [few / SECONDS], digits=1),
        Finding(f"  {MANY:,} listeners", [many / SECONDS], digits=1),
    ]


def _over(seconds: float, redis: "Redis") -> tuple[float, int]:
    """Return the CPU seconds of the web workers, and the commands of Redis, in so many seconds."""
    stack = Stack(LOCAL)
    before, commands = cpu_seconds(stack)["bench"], Counted.of(redis)
    time.sleep(seconds)
    return cpu_seconds(stack)["bench"] - before, Counted.of(redis).since(commands).commands


def _memory() -> int:
    """Return the bytes of the web workers that no other process shares."""
    master = psutil.Process(Stack(LOCAL).supervisor.info()["bench"]["pid"])
    return sum(one.memory_full_info().uss for one in master.children())
