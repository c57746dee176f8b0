"""Helpers of all tests: buyers, and waiting for a condition instead of a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prometheus_client import Metric
from redis.asyncio import Redis

from flashsale_local.sale.seed import user_ids

T = TypeVar("T")

USERS = user_ids(300)
# Seconds between two checks of a `socketserver` for its shutdown. The default of 0.5 would delay
# the end of every test that has one.
POLL = 0.01


@dataclass
class LambdaContext:
    """The parts of a Lambda context that functions read. `seconds` is the time left."""

    seconds: float = 60.0
    function_name: str = "test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:test"
    aws_request_id: str = "request"
    began: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.began + self.seconds - time.monotonic()) * 1000))


def eventually(condition: Callable[[], T], deadline: float = 60.0) -> T:
    """Wait for a true value of `condition` and return it. Fail after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"still {value!r} after {deadline} s"
        time.sleep(0.05)
    return value


async def until(condition: Callable[[], Awaitable[T]], deadline: float = 60.0) -> T:
    """Do the same as `eventually` for a coroutine function."""
    async with asyncio.timeout(deadline):
        while not (value := await condition()):
            await asyncio.sleep(0.05)
        return value


async def sync_each_write(redis: Redis) -> None:
    """Let Valkey answer nothing that is not in its file yet. A slow disk may delay that else."""
    await redis.config_set("appendfsync", "always")


def by_labels(families: Iterable[Metric], product_id: str | None = None) -> dict[Any, float]:
    """Return values by name without "flashsale_" and by labels, for one product or all."""
    return {
        (sample.name.removeprefix("flashsale_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if product_id is None or sample.labels.get("product") == product_id
    }
