"""A web worker is killed (SIGKILL) between the steps of one purchase of each generation.

The worker is a process of its own, and reaches the stores through gates. Each gate withholds what
would be the next step of a purchase. So when the worker dies, every purchase is exactly there.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace

from flashsale.redis_store.scripts import Keys
from flashsale.services import Services
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.demo import await_orders
from flashsale_local.sale.gate import Gate, Point
from flashsale_local.sale.load import buy_all
from flashsale_local.sale.seed import user_ids
from flashsale_local.sale.trouble import (
    AFTER,
    BEFORE,
    GENERATIONS,
    Expectation,
    Outcome,
    buy_one_each,
)
from flashsale_local.stack import edge
from flashsale_local.stack.access import settings_of_function
from flashsale_local.stack.program import Program, free_port
from flashsale_local.stack.stack import Stack

KILLED = user_ids(3)[-1]
# V1 and V3 took the unit and wrote no order. V4 took it and pushed nothing. The transaction of V2
# is rolled back. V5 recorded the claim when it took the unit, so its order is written.
EXPECTED = {
    1: Expectation(accepted=0, confirmed=0, lost=1),
    2: Expectation(accepted=0, confirmed=0, lost=0),
    3: Expectation(accepted=0, confirmed=0, lost=1),
    4: Expectation(accepted=0, confirmed=0, lost=1),
    5: Expectation(accepted=0, confirmed=1, lost=0),
}
# Seconds until each purchase is where it is to be killed. It takes some milliseconds.
DEADLINE = 15.0


@dataclass(frozen=True)
class Gates:
    """The gates in front of the stores."""

    redis: Gate
    postgres: Gate
    sqs: Gate

    @classmethod
    def before(cls, target: Target) -> "Gates":
        """Return gates in front of the stores of a deployment."""
        urls = (target.redis_url, target.database_url, target.endpoint_url)
        return cls(*(Gate(url, free_port()) for url in urls))

    def of(self, target: Target) -> Target:
        """Return the deployment as a process behind the gates sees it."""
        return replace(
            target,
            redis_url=self.redis.url,
            database_url=self.postgres.url,
            endpoint_url=self.sqs.url,
        )

    def withhold(self, products: dict[int, str]) -> dict[int, Point]:
        """Withhold the next step of a purchase of each product; return the points."""
        points = {
            # The stock is written back, the order is not.
            1: Point(products[1], "INSERT INTO orders"),
            # Both statements are done, the transaction is not committed.
            2: Point(products[2], "INSERT INTO orders", answer=True),
            # The unit is taken in Redis. The first statement would write PostgreSQL.
            3: Point(products[3]),
            # The unit is taken in Redis. The call would push the order.
            4: Point(products[4]),
            # The script has taken the unit and recorded the claim. The buyer has no answer.
            5: Point(products[5], answer=True),
        }
        self.postgres.points = [points[1], points[2], points[3]]
        self.sqs.points = [points[4]]
        self.redis.points = [points[5]]
        return points


def kill_a_worker(stack: Stack, target: Target, products: dict[int, str]) -> None:
    """Kill a web worker in the middle of one purchase of each of these products.

    Each product has sold one unit before.

    Raises:
        Problem: a purchase did not come to its point, or was answered before the kill.

    """
    gates = Gates.before(target)
    with _running(stack, _worker(stack, gates.of(target))) as worker:
        asyncio.run(_strike(stack, worker, gates, products))


async def take_stock(target: Target, services: Services, products: dict[int, str]) -> list[Outcome]:
    """Sell one more unit by V5, and return what became of the purchases under way in the kill."""
    # The next claim relays those before it, once the lease of the killed process has expired.
    async with asyncio.timeout(DEADLINE):
        while await services.redis.exists(Keys(products[5]).lease):  # noqa: ASYNC110 - it expires
            await asyncio.sleep(0.05)
    await buy_one_each(target.edges["asgi"], {5: products[5]}, AFTER)
    outcomes = []
    for generation, product_id in products.items():
        others = 2 if generation == 5 else 1
        books = await await_orders(target, services, product_id, others)
        outcomes.append(Outcome(generation, attempts=1, accepted=0, others=others, books=books))
    return outcomes


def _worker(stack: Stack, seen: Target) -> Program:
    directory = stack.directory / "edge-to-kill"
    settings = settings_of_function(seen, "buy")
    web = edge.web(directory, free_port(), seen, workers=1, **settings)
    return replace(web, name="edge-to-kill")


@contextmanager
def _running(stack: Stack, program: Program) -> Iterator[Program]:
    """Run a program of the stack until the end of the block, whatever happens in it."""
    try:
        stack.add(program)
        yield program
    finally:
        stack.supervisor.remove(program.name)


async def _strike(stack: Stack, worker: Program, gates: Gates, products: dict[int, str]) -> None:
    endpoint = Endpoint(worker.url)
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as purchases:
        for gate in (gates.redis, gates.postgres, gates.sqs):
            await opened.enter_async_context(gate.open())
        await buy_one_each(endpoint, products, BEFORE)
        points = gates.withhold(products)
        # V5 comes last: it waits for Redis for a second, and the others wait longer.
        for together in (GENERATIONS[:-1], GENERATIONS[-1:]):
            for number in together:
                purchases.create_task(_buy_until_killed(endpoint, number, products[number]))
            await _reach({number: points[number] for number in together})
        stack.supervisor.kill_program(worker.name)


async def _reach(points: Mapping[int, Point]) -> None:
    try:
        async with asyncio.timeout(DEADLINE):
            for point in points.values():
                await point.reached.wait()
    except TimeoutError:
        missing = ", ".join(f"V{n}" for n, point in points.items() if not point.reached.is_set())
        raise Problem(
            f"No purchase of {missing} came to the step after which its process is killed.",
            "See the log of the process that was to be killed.",
        ) from None


async def _buy_until_killed(endpoint: Endpoint, generation: int, product_id: str) -> None:
    (answer,) = await buy_all(endpoint, generation, product_id, [KILLED], 1, lambda _: None)
    if answer.status:
        raise Problem(
            f"V{generation} answered {answer.detail} before its process was killed.",
            "The machine may be too busy. Try again.",
        )
