"""What a visitor can do to a sale: open it, buy one unit, send a crowd."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from flashsale.domain.model import Terms
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import CONNECTIONS, SHOPS
from flashsale_local.sale.load import Answer, buy_all
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.sale.warm_up import warm_up

# A spike: few units, many buyers, and seconds after which it ends whatever happens.
UNITS, BUYERS, DEADLINE = 60, 240, 60.0
# While PostgreSQL is down, each buyer of V1 to V3 waits for it for two seconds.
BUYERS_IN_THE_DARK = 24
MOST_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Way:
    """A generation, and the edge that serves it."""

    generation: int
    edge: str

    @property
    def name(self) -> str:
        """As buttons say it."""
        return f"V{self.generation}" + (" ASGI" if self.edge == "asgi" else "")

    @property
    def queued(self) -> bool:
        """Whether its orders go through the queue."""
        return self.generation in (4, 5)


@dataclass(frozen=True, slots=True)
class OnSale:
    """A product that this page opened; one product is sold by one generation."""

    product_id: str
    way: Way
    units: int


class Shop:
    """Opens sales and sends buyers, over the deployed HTTP API."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.ways = [Way(*shop) for shop in SHOPS if shop[1] in target.edges]
        self._shelf: dict[Way, OnSale] = {}
        self._opened = 0
        self._warm = False

    async def open_sale(self, way: Way, units: int) -> OnSale:
        """Put a new product on sale."""
        self._opened += 1
        edge = "-asgi" if way.edge == "asgi" else ""
        product_id = f"live-v{way.generation}{edge}-{int(time.time()):x}-{self._opened}"
        async with self._target.services() as services:
            await seed(services, user_ids(BUYERS), [product_id], units)
            terms = Terms(generation=way.generation)
            await services.stock.open_sale(product_id, units, terms)
        return OnSale(product_id, way, units)

    async def warm_up(self) -> None:
        """Start the functions' environments, once: a spike is to measure sales, not starts."""
        if not self._warm:
            await warm_up(self._target)
            self._warm = True

    async def fill_shelf(self) -> None:
        """Keep a product for each way: without PostgreSQL no new one can be made."""
        for way in self.ways:
            if way not in self._shelf:
                self._shelf[way] = await self.open_sale(way, UNITS)

    async def next_sale(self, way: Way, *, postgres_up: bool) -> OnSale:
        """A product for a spike: a new one, or while PostgreSQL is down the one on the shelf.

        Raises:
            Problem: the shelf is empty.

        """
        if postgres_up:
            return await self.open_sale(way, UNITS)
        if way not in self._shelf:
            raise Problem(f"There is no product left for {way.name}.", "Start PostgreSQL first.")
        return self._shelf.pop(way)

    async def buy_one(self, product_id: str, way: Way, report: Callable[[Answer], None]) -> Answer:
        """One unit, for some user."""
        user = random.choice(user_ids(BUYERS))  # noqa: S311 - no secret
        door = self._target.edges[way.edge]
        (answer,) = await buy_all(door, way.generation, product_id, [user], 1, report)
        return answer

    async def spike(
        self, sale: OnSale, report: Callable[[Answer], None], *, postgres_up: bool
    ) -> list[Answer]:
        """Many buyers at once; returns the answers that came in time."""
        waits = not postgres_up and not sale.way.queued
        users = user_ids(BUYERS_IN_THE_DARK if waits else BUYERS)
        answers: list[Answer] = []

        def keep(answer: Answer) -> None:
            answers.append(answer)
            report(answer)

        door = self._target.edges[sale.way.edge]
        try:
            async with asyncio.timeout(DEADLINE):
                await buy_all(door, sale.way.generation, sale.product_id, users, CONNECTIONS, keep)
        except TimeoutError:
            pass  # it is a show; who was not served is not counted
        return answers


def accepted_of(answers: list[Answer]) -> int:
    """How many of them bought a unit."""
    return sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
