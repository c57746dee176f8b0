"""Runs one sale under k6's load, from the opening to the last order."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.console import errors, step
from flashsale_local.deployment.target import Edge, Target
from flashsale_local.problems import Problem
from flashsale_local.queues.drain import FOR_OPERATOR
from flashsale_local.sale.seed import USERS, seed, user_ids, write_ids
from flashsale_local.sale.warm_up import warm_up
from flashsale_server.queues.depths import depths, total
from loadtest.profiles import Profile
from loadtest.spike import k6
from loadtest.spike.outcome import Result, read_summary
from loadtest.spike.view import watch

SETTLE_DEADLINE = 300.0


@dataclass(frozen=True)
class Spike:
    """The options of a spike.

    Attributes:
        stock: units of the new product.
        product: a product on sale; "" for a new one.
        max_vus: maximum of k6's buyers that wait for an answer at the same time.

    """

    generation: int
    edge: Edge
    profile: str
    scale: float
    stock: int
    product: str
    p95_ms: float
    error_rate: float
    max_vus: int = 2000


async def hold(target: Target, services: Services, asked: Spike, directory: Path) -> Result:
    """Run one sale, and wait until nothing is on its way.

    Args:
        directory: the folder for k6's input, summary and log.

    """
    options = k6.target_options(target.edges[asked.edge])
    k6.find()  # fails early if k6 is missing
    profile = Profile.named(asked.profile).scaled(rate=asked.scale, time=1)
    product_id = asked.product or f"spike-{time.time_ns():x}"
    before = await _put_on_sale(services, asked, product_id)
    with step("warm up the functions"):
        await warm_up(target)
    ids, summary, log = (directory / f"spike{end}" for end in ("-ids.json", ".json", ".log"))
    write_ids(ids, user_ids(USERS), [product_id])
    summary.unlink(missing_ok=True)
    options |= {
        "PROFILE": asked.profile,
        "SCALE": str(asked.scale),
        "GENERATION": str(asked.generation),
        "PRODUCT": product_id,
        "P95_MS": str(asked.p95_ms),
        "ERROR_RATE": str(asked.error_rate),
        "MAX_VUS": str(asked.max_vus),
        "IDS": str(ids.resolve()),
        "SUMMARY": str(summary.resolve()),
    }
    errors.print(
        f"up to {profile.peak:.0f} purchases a second for {profile.seconds:.0f} s, "
        f"of {before.stock} units of {before.product_id}"
    )
    with k6.run(options, log) as run:
        await watch(run, target, services, product_id, profile)
    ended = time.monotonic()
    with step("wait until nothing is on its way"):
        left = await settled(target, services, product_id)
    settling = time.monotonic() - ended
    (after,) = await read_books(services, [product_id])
    return Result(read_summary(summary), before, after, left, settling)


async def _put_on_sale(services: Services, asked: Spike, product_id: str) -> Books:
    """Put a new product on sale, or check that the given one is on sale; return its books."""
    await seed(services, user_ids(USERS), [] if asked.product else [product_id], asked.stock)
    if not asked.product:
        terms = Terms(generation=asked.generation)
        await services.stock.open_sale(product_id, asked.stock, terms)
    rows = await read_books(services, [product_id])
    if not rows:
        raise Problem(f"There is no product {product_id!r}.", "See `flashsale seed`.")
    sale = await services.ledger.snapshot(product_id, count_claims=False)
    if sale is None or sale.state is not SaleState.OPEN:
        raise Problem(f"{product_id} is not on sale.", f"Run `flashsale open {product_id}`.")
    if sale.generation not in (None, asked.generation):
        raise Problem(
            f"{product_id} is sold by V{sale.generation}, and only one generation sells a product.",
            "Name another product, or leave PRODUCT out to sell a new one.",
        )
    return rows[0]


async def settled(target: Target, services: Services, product_id: str) -> int:
    """Wait until nothing is on its way; return the messages and claims left at the deadline."""
    end = time.monotonic() + SETTLE_DEADLINE
    queues = {name: url for name, url in target.queues.items() if name not in FOR_OPERATOR}
    while True:
        messages = total(await asyncio.to_thread(depths, queues))
        left = messages + await services.ledger.count(product_id)
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(0.2)
