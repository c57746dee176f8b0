"""Runs one sale with a waiting room under k6's load, from the first ticket to the last order."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from rich.live import Live

from flashsale.domain.model import Declined, Terms
from flashsale.domain.rooms import RoomTerms
from flashsale.redis_store.scripts import Keys
from flashsale.services import Services
from flashsale.usecases.books import read_books
from flashsale.usecases.sales import open_sale
from flashsale_local.console import errors, step
from flashsale_local.deployment.target import Edge, Target
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem
from flashsale_local.sale.seed import USERS, seed, user_ids, write_ids
from loadtest.spike import k6
from loadtest.spike.polls import COPY_SECONDS, ROUNDS, calls, measure_polls
from loadtest.spike.room_outcome import RoomResult, read_summary
from loadtest.spike.sale import settled
from loadtest.spike.view import live_room_table

SCRIPT = ROOT / "loadtest" / "room.js"
# Seconds in which k6 starts, while nobody can join.
K6_STARTS = 5.0
PERIOD = 0.5
SAMPLE = 0.05


@dataclass(frozen=True)
class RoomSpike:
    """The options of a spike on a waiting room.

    Attributes:
        per_minute: calls a minute, at most.
        no_shows: share of the called who never ask to be admitted.
        opens_in: seconds in which users join before the opening.
        seconds: after the opening, until all who still wait give up.
        poll_seconds: for which polls alone are sent, three times, to count their Redis commands.

    """

    edge: Edge
    buyers: int = 300
    stock: int = 60
    per_minute: int = 300
    max_inside: int = 10
    no_shows: float = 0.3
    opens_in: int = 10
    seconds: int = 120
    poll_seconds: float = 3.0


async def hold_with_room(
    target: Target, services: Services, asked: RoomSpike, directory: Path
) -> RoomResult:
    """Run one sale, and wait until nothing is on its way.

    Args:
        directory: the folder for k6's input, summary and log.

    """
    options = k6.target_options(target.edges[asked.edge])
    k6.find()  # fails early if k6 is missing
    product_id = f"room-{time.time_ns():x}"
    ids, summary, log = (directory / f"room{end}" for end in ("-ids.json", ".json", ".log"))
    write_ids(ids, user_ids(USERS), [product_id])
    summary.unlink(missing_ok=True)
    await seed(services, user_ids(USERS), [product_id], asked.stock)
    opens_in = asked.opens_in + K6_STARTS + ROUNDS * (2 * asked.poll_seconds + COPY_SECONDS)
    await _open(services, asked, product_id, opens_in)
    (before,) = await read_books(services, [product_id])
    with step("count the Redis commands of polls"):
        polls = await measure_polls(target, services, asked.edge, product_id, asked.poll_seconds)
    options |= {
        "PRODUCT": product_id,
        "BUYERS": str(asked.buyers),
        "NO_SHOWS": str(asked.no_shows),
        "OPENS_IN": str(asked.opens_in),
        "SECONDS": str(asked.seconds),
        "IDS": str(ids.resolve()),
        "SUMMARY": str(summary.resolve()),
    }
    errors.print(f"{asked.buyers} buyers, {asked.stock} units of {product_id}")
    counted = await calls(services)
    with k6.run(options, log, SCRIPT) as run:
        most_inside = await _watch(run, services, product_id)
    counted = await calls(services) - counted
    with step("wait until nothing is on its way"):
        left = await settled(target, services, product_id)
    (after,) = await read_books(services, [product_id])
    return RoomResult(
        read_summary(summary), most_inside, asked.max_inside, polls, counted, before, after, left
    )


async def _open(services: Services, asked: RoomSpike, product_id: str, opens_in: float) -> None:
    room = RoomTerms(max_inside=asked.max_inside, max_rate=asked.per_minute, admission_seconds=30)
    starts_at = datetime.now(UTC) + timedelta(seconds=opens_in)
    terms = Terms(generation=5, starts_at=starts_at, room=room)
    declined = await open_sale(services, product_id, terms)
    if isinstance(declined, Declined):
        raise Problem(f"{product_id} was not opened: {declined}.", "Start the stack by `make up`.")


async def _watch(run: k6.Run, services: Services, product_id: str) -> int:
    """Show the room until k6 ends; return how many were inside at most."""
    keys, most, shown = Keys(product_id), 0, 0.0
    redis = services.redis
    with Live(console=errors, auto_refresh=False, transient=True) as live:
        while run.running:
            inside = await redis.zcount(keys.inside, f"({time.time() * 1000:.0f}", "+inf")
            most = max(most, int(inside))
            if time.monotonic() - shown > PERIOD:
                shown = time.monotonic()
                door = await cast(
                    "Awaitable[list[str | None]]",
                    redis.hmget(keys.door, ["serving", "admitted", "rate"]),
                )
                stock = str(await redis.get(keys.stock) or 0)
                live.update(live_room_table([*door, str(inside), stock]), refresh=True)
            await asyncio.sleep(SAMPLE)
    return most
