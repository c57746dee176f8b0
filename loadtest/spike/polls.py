"""Counts the Redis commands of polls, and of what else happens in a waiting room."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

import httpx

from flashsale.services import Services
from flashsale_local.deployment.target import Edge, Target

CLIENTS, ROUNDS = 8, 3
# A process reads the room again when its copy is a second old.
COPY_SECONDS = 1.1
# Of this measurement itself, and of new connections.
_OWN = {"info", "ping", "hello", "auth", "select", "client|setinfo", "client|setname"}


@dataclass(frozen=True)
class Calls:
    """Calls of each command of Redis, also those within scripts."""

    by_command: Mapping[str, int]

    def __sub__(self, other: "Calls") -> "Calls":
        """Return the calls since another count."""
        before = other.by_command
        return Calls({name: n - before.get(name, 0) for name, n in self.by_command.items()})

    @property
    def all(self) -> int:
        """All calls, without those of the measurement."""
        return sum(n for name, n in self.by_command.items() if name not in _OWN)

    @property
    def refreshes(self) -> int:
        """How often a process read a room again: only advance.lua calls ZREVRANGE."""
        return self.by_command.get("zrevrange", 0)

    @property
    def admissions_asked(self) -> int:
        """Runs of admit.lua: it and advance.lua forget the admissions that ran out."""
        return self.by_command.get("zremrangebyscore", 0) - self.refreshes

    @property
    def claims(self) -> int:
        """Claims that reached claim.lua: it and admit.lua look up who is inside."""
        return self.by_command.get("zscore", 0) - self.admissions_asked


async def calls(services: Services) -> Calls:
    """Return the counts of INFO commandstats."""
    found = await services.redis.info("commandstats")
    return Calls({name.removeprefix("cmdstat_"): row["calls"] for name, row in found.items()})


@dataclass(frozen=True)
class PollCost:
    """Polls that were sent alone, and the Redis commands that came with them.

    Attributes:
        refreshes: of all processes, each of which reads the room once a second at most.
        commands: beside those of the refreshes, and of what else runs.

    """

    polls: int
    seconds: float
    refreshes: int
    commands: int

    @property
    def per_poll(self) -> float:
        """Redis commands of one poll."""
        return self.commands / self.polls


async def measure_polls(
    target: Target, services: Services, edge: Edge, product_id: str, seconds: float
) -> PollCost:
    """Poll a room for so long, after as long without a poll, and count the commands.

    The exporter or the sweep may ask Redis in one of both and not in the other. A poll that costs a
    command does so in each round, so the round with the fewest counts.
    """
    path = f"/api/v5/rooms/{product_id}"
    async with target.edges[edge].client() as http:
        await asyncio.gather(*(_poll(http, path) for _ in range(4 * CLIENTS)))  # loads the scripts
        rounds = [await _measure(services, http, path, seconds) for _ in range(ROUNDS)]
    return min(rounds, key=lambda one: abs(one.commands))


async def _measure(
    services: Services, http: httpx.AsyncClient, path: str, seconds: float
) -> PollCost:
    idle = await _counted(services, asyncio.sleep(seconds))
    await asyncio.sleep(COPY_SECONDS)
    once = await _counted(services, _poll(http, path))
    began, polls = time.monotonic(), 0

    async def client() -> None:
        nonlocal polls
        while time.monotonic() < began + seconds:
            await _poll(http, path)
            polls += 1

    polled = await _counted(services, asyncio.gather(*(client() for _ in range(CLIENTS))))
    took = time.monotonic() - began
    other = round(idle.all * took / seconds) + polled.refreshes * once.all
    return PollCost(polls, seconds, polled.refreshes, polled.all - other)


async def _poll(http: httpx.AsyncClient, path: str) -> None:
    (await http.get(path)).raise_for_status()


async def _counted(services: Services, work: Awaitable[object]) -> Calls:
    before = await calls(services)
    await work
    return await calls(services) - before
