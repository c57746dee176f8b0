"""Runs one sale under a spike, and accounts for every attempt and every unit."""

import asyncio
import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flashsale.postgres_store.database import LONG_SILENCE
from flashsale.services import Services
from flashsale.usecases.books import read_books
from flashsale_local.sale.answers import AnswerKind
from loadtest.bench.faults import Breaker
from loadtest.bench.results import Fault, Latency, Sale, Timeline
from loadtest.bench.shop import USERS, Shop
from loadtest.bench.watch import watching
from loadtest.client import open_loop
from loadtest.on_sale import purchases
from loadtest.profiles import Profile
from loadtest.samples import Load, Sample, percentile_ms

BINS = 44
DRAIN_DEADLINE = 240.0
QUANTILES = [*range(1, 100), 99.9]

WRITTEN = """
SELECT id, extract(epoch FROM created_at)::float AS at FROM orders
WHERE product_id = %(id)s AND status = 'CONFIRMED'
"""


@dataclass(frozen=True)
class PlannedSale:
    """A sale to run. `kind` is scarce, abundant, or the name of a fault."""

    kind: str
    generation: int
    edge: str
    repeat: int
    units: int
    profile: Profile
    breaker: Breaker | None = None

    @property
    def product_id(self) -> str:
        """The product of this sale."""
        kind = self.kind.replace(" ", "-")
        return f"{kind}-v{self.generation}-{self.edge}-{self.repeat}"


async def hold(shop: Shop, services: Services, planned: PlannedSale) -> Sale:
    """Run the sale, wait until nothing is on its way, and read the books."""
    await shop.reset(services, planned.generation, planned.product_id, planned.units)
    path = f"/api/v{planned.generation}/buy"
    bodies, due = purchases(planned.product_id, USERS), list(planned.profile.arrivals())
    with watching(shop.target, planned.product_id) as watched, _no_garbage_collection():
        breaking = asyncio.create_task(planned.breaker(shop)) if planned.breaker else None
        load = await open_loop(shop.target.edges[planned.edge], path, bodies, due)
        fault = await breaking if breaking else None
        drain = await shop.empty(services, DRAIN_DEADLINE)
        settled = time.time() - load.started
    (books,) = await read_books(services, [planned.product_id])
    waits = await _waits(services, planned, load)
    answered = [s.seconds for s in load.samples if s.kind is not AnswerKind.THROTTLED]
    accepted = [s.seconds for s in load.samples if s.kind is AnswerKind.ACCEPTED]
    sale = Sale(
        generation=planned.generation,
        edge=planned.edge,
        kind=planned.kind,
        repeat=planned.repeat,
        units=planned.units,
        offered=len(due),
        seconds=load.elapsed,
        accepted=len(accepted),
        sold_out=load.count(AnswerKind.SOLD_OUT),
        throttled=load.count(AnswerKind.THROTTLED),
        refused=load.count(AnswerKind.REFUSED),
        failed=load.count(AnswerKind.FAILED),
        dropped=load.dropped,
        server_errors=sum(s.status >= 500 and s.kind is AnswerKind.FAILED for s in load.samples),
        database_errors=sum(s.database_failed for s in load.samples),
        answers=Latency.of(answered),
        acceptance=Latency.of(accepted),
        confirmation=Latency.of(waits),
        quantiles=[percentile_ms(answered, n) for n in QUANTILES],
        drain=drain,
        drain_rate=_drain_rate(load, waits) if drain > 1 else None,
        confirmed=books.confirmed,
        cancelled=books.cancelled,
        oversold=books.oversold,
        lost=books.lost,
        imbalance=books.imbalance,
        broken=books.broken,
        timeline=_timeline(planned.profile, due, load.samples),
        watched=watched,
    )
    return _with_fault(sale, fault, load, settled) if fault else sale


def _with_fault(sale: Sale, fault: Fault, load: Load, settled: float) -> Sale:
    """Add the figures of the fault.

    Args:
        settled: when nothing was on its way any more, in seconds after the start.

    """
    sale.fault = fault
    accepted_at = [s.due + s.seconds for s in load.samples if s.kind is AnswerKind.ACCEPTED]
    sale.accepted_during_fault = sum(fault.begin <= moment < fault.end for moment in accepted_at)
    if sale.imbalance == 0 and sale.oversold == 0:
        sells_again = min(
            (moment for moment in accepted_at if moment >= fault.end), default=math.inf
        )
        healed = settled if sale.generation >= 4 else sells_again
        sale.healed_after = max(0.0, healed - fault.end) if healed < math.inf else None
    return sale


async def _waits(services: Services, planned: PlannedSale, load: Load) -> list[float]:
    """Return the seconds from when each confirmed order was due until it was written (V4, V5)."""
    if planned.generation < 4:
        return []
    async with services.database.transaction(silence=LONG_SILENCE) as connection:
        cursor = await connection.execute(WRITTEN, {"id": planned.product_id})
        written = {row["id"]: row["at"] for row in await cursor.fetchall()}
    return [
        written[sample.order_id] - load.started - sample.due
        for sample in load.samples
        if sample.order_id in written
    ]


def _drain_rate(load: Load, waits: Sequence[float]) -> float | None:
    """Return the orders per second that were written after the last answer."""
    accepted = [sample for sample in load.samples if sample.order_id]
    if len(waits) != len(accepted):
        return None  # some were cancelled
    late = [
        sample.due + wait - load.elapsed
        for sample, wait in zip(accepted, waits, strict=True)
        if sample.due + wait > load.elapsed
    ]
    return len(late) / max(late) if late else None


def _timeline(profile: Profile, due: Sequence[float], samples: Sequence[Sample]) -> Timeline:
    step = profile.seconds / BINS
    binned: list[list[Sample]] = [[] for _ in range(BINS)]
    offered = [0] * BINS
    for moment in due:
        offered[min(BINS - 1, int(moment / step))] += 1
    for sample in samples:
        binned[min(BINS - 1, int(sample.due / step))].append(sample)
    answered = [
        [s.seconds for s in in_step if s.kind is not AnswerKind.THROTTLED] for in_step in binned
    ]
    return Timeline(
        step=step,
        offered=[count / step for count in offered],
        accepted=[sum(s.kind is AnswerKind.ACCEPTED for s in in_step) / step for in_step in binned],
        failed=[sum(s.kind is AnswerKind.FAILED for s in in_step) / step for in_step in binned],
        accepted_at=_answered_at(samples, AnswerKind.ACCEPTED, step),
        failed_at=_answered_at(samples, AnswerKind.FAILED, step),
        p50=[percentile_ms(latencies, 50) if latencies else None for latencies in answered],
        p95=[percentile_ms(latencies, 95) if latencies else None for latencies in answered],
    )


def _answered_at(samples: Sequence[Sample], kind: AnswerKind, step: float) -> list[float]:
    """Return the answers of this kind per second, in steps until the last answer of any kind."""
    last = max((s.due + s.seconds for s in samples), default=0.0)
    counts = [0] * (int(last / step) + 1)
    for sample in samples:
        if sample.kind is kind:
            counts[int((sample.due + sample.seconds) / step)] += 1
    return [count / step for count in counts]


class _no_garbage_collection:  # noqa: N801 - a context manager, used like a function
    """Disables garbage collection, whose pauses would count as latency of the shop."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
