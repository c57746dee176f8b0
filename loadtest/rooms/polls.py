"""Measures polls of a room's document on the ASGI edge, next to an echo route."""

import os
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass

from redis import Redis

from flashsale.domain.model import V5, Terms
from flashsale.domain.rooms import RoomTerms
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.rooms import read_room
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.target import with_services
from flashsale_local.sale.seed import seed
from loadtest.bench_server import Bench, Buyers
from loadtest.client import closed_loop
from loadtest.finding import Finding, ratios
from loadtest.on_sale import STOCK
from loadtest.rooms.shop import new_users
from loadtest.samples import Load

ROUNDS, SECONDS, CONNECTIONS = 5, 4.0, 64
JOINED = 1_000
GOAL = 0.9
# The workers of the edge; each has a copy of its own.
WORKERS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Counted:
    """What Redis did until a reading: all commands, also those in scripts, and renewed copies."""

    commands: int
    renewals: int

    @classmethod
    def of(cls, redis: Redis) -> "Counted":
        """Read the counters of Redis."""
        stats = redis.info("commandstats")
        calls = {name: int(row["calls"]) for name, row in stats.items()}
        all_of_them = sum(calls.values()) - calls.get("cmdstat_info", 0)
        # Of all that runs here, only advance.lua calls this command, once.
        return cls(all_of_them, calls.get("cmdstat_zremrangebyscore", 0))

    def since(self, before: "Counted") -> "Counted":
        """Return what came after an earlier reading."""
        return Counted(self.commands - before.commands, self.renewals - before.renewals)


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the polls, what Redis did meanwhile, and in a time as long without polls."""

    load: Load
    idle: Counted
    busy: Counted

    def renewals_a_second(self, workers: int) -> float:
        """Return how often each worker renewed its copy, after the first time.

        The first time comes at once, because the copies have aged.
        """
        return (self.busy.renewals / workers - 1) / self.load.elapsed

    def others_a_poll(self, each: int) -> float:
        """Return the commands a poll, without those of renewals, which are `each` a renewal."""
        more = self.busy.commands - self.idle.commands
        return (more - self.busy.renewals * each) / len(self.load.samples)


def poll_in_turn(bench: Bench) -> list[Finding]:
    """Poll the document of a room over all connections, in turn with the echo route."""
    product_id = f"bench-room-{time.time_ns():x}"
    with_services(bench.target, lambda services: _open(services, product_id))
    redis = Redis.from_url(bench.target.redis_url)
    each = with_services(bench.target, lambda services: _renewal(services, product_id, redis))
    bench.poll(product_id, _for(1.0, "GET"))  # the workers load what they need
    echo: list[float] = []
    rounds: list[Round] = []
    for _ in range(ROUNDS):
        echo.append(bench.echo(_for(SECONDS, "POST")).rate(200))
        start = Counted.of(redis)
        time.sleep(SECONDS)
        middle = Counted.of(redis)
        load = bench.poll(product_id, _for(SECONDS, "GET"))
        end = Counted.of(redis)
        assert set(load.statuses) == {200}, load.statuses
        rounds.append(Round(load, middle.since(start), end.since(middle)))
    polls = [one.load.rate(200) for one in rounds]
    a_second = [one.renewals_a_second(WORKERS) for one in rounds]
    others = [one.others_a_poll(each) for one in rounds]
    return [
        Finding("echo route: answers per second", echo, digits=0),
        Finding("room document: answers per second", polls, digits=0),
        Finding("  × echo, round by round", ratios(polls, echo), least=GOAL),
        Finding("  renewals a second in a worker", a_second, most=1.0),
        Finding("  other Redis commands, a poll", others, most=0.001, digits=4),
    ]


def _for(seconds: float, method: str) -> Buyers:
    def clients(endpoint: Endpoint, path: str, bodies: Iterator[str]) -> Awaitable[Load]:
        return closed_loop(endpoint, path, bodies, CONNECTIONS, seconds, method)

    return clients


async def _open(services: Services, product_id: str) -> None:
    """Put a product on sale behind a room in which users wait."""
    await seed(services, [], [product_id], STOCK)
    declined = await sales.open_sale(services, product_id, Terms(generation=V5, room=RoomTerms()))
    assert declined is None, declined
    for user in new_users(JOINED):
        await services.rooms.join(product_id, user)


async def _renewal(services: Services, product_id: str, redis: Redis) -> int:
    """Count the commands of one renewal of a copy, as `room_looks.look` does it."""
    for _ in range(2):  # the first one loads the scripts
        before = Counted.of(redis)
        assert await read_room(services, product_id)
        await services.rooms.take_turn_to_save(product_id)
        counted = Counted.of(redis).since(before)
    return counted.commands
