"""Runs the benchmark's own stack on free ports, so that a running local stack is not touched."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flashsale.domain.model import Terms
from flashsale.postgres_store.database import LONG_SILENCE
from flashsale.redis_store.relay_inbox import ALIVE
from flashsale.services import Services
from flashsale_local.console import errors, step
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack import edge
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_local.stack.program import Program, free_port
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import deploy_locally
from flashsale_server.queues.depths import depths

# Seconds until a failed message is retried. The default of 60 would make outages take long.
VISIBILITY_TIMEOUT = 6
SWEEP_AFTER = 20
USERS = 10_000
# Seconds within which the messages of the last sale must be gone.
EMPTY_DEADLINE = 240.0


@dataclass(frozen=True)
class Shop:
    """The deployed application behind both edges."""

    stack: Stack
    target: Target
    web: Program

    async def reset(self, services: Services, generation: int, product_id: str, units: int) -> None:
        """Empty both stores, add users, put one product on sale, and warm up the functions."""
        await self.empty(services, EMPTY_DEADLINE)
        await services.redis.flushall()
        async with services.database.transaction(silence=LONG_SILENCE) as connection:
            await connection.execute("TRUNCATE orders, products, rooms")
        await seed(services, user_ids(USERS), [product_id], units)
        await services.stock.open_sale(product_id, units, Terms(generation=generation))
        while not await services.redis.exists(ALIVE):  # noqa: ASYNC110 - the relay writes this key again
            await asyncio.sleep(0.05)
        await warm_up(self.target)

    async def empty(self, services: Services, deadline: float) -> float:
        """Wait until no claim is unsettled and no message waits; return the seconds that it took.

        Raises:
            Problem: claims or messages are left after `deadline` seconds.

        """
        began = time.monotonic()
        while True:
            sales = await services.stock.list_sales()
            unsettled = sum([await services.ledger.count(product_id) for product_id in sales])
            waiting = await asyncio.to_thread(depths, self.target.queues)
            took = time.monotonic() - began
            if not unsettled and not any(depth.total for depth in waiting.values()):
                return took
            if took > deadline:
                raise Problem(
                    f"After {deadline:.0f} s {unsettled} claims are unsettled, and messages wait: "
                    f"{ {name: depth.total for name, depth in waiting.items()} }",
                    f"See the logs in {self.stack.directory / 'logs'}.",
                )
            await asyncio.sleep(0.1)


@contextmanager
def open_shop(directory: Path) -> Iterator[Shop]:
    """Start a stack, deploy to it, and stop it at the end of the block."""
    ports = {name: str(free_port()) for name in DEFAULT_PORTS}
    stack = Stack(directory, ports)
    stack.down()  # an earlier run may have left it running
    try:
        stack.up(lambda line: errors.print(f"[green]✓[/] {line}"))
        target = stack.target()
        target.export()
        deploy_locally(
            target,
            {"VisibilityTimeout": str(VISIBILITY_TIMEOUT), "SweepAfter": str(SWEEP_AFTER)},
        )
        web = edge.web(directory, stack.edge_port, target, SWEEP_AFTER=str(SWEEP_AFTER))
        # The same server with an echo route.
        web = replace(web, command=[*web.command, "loadtest.echo:app"])
        with step("the ASGI edge and the relay process"):
            stack.add(web)
            stack.add(edge.relay(target))
        yield Shop(stack, replace(target, asgi_url=web.url), web)
    finally:
        stack.down()
