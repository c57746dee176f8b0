"""What a visitor can do to a sale: open one, buy one unit, send a crowd of buyers."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from flashsale.domain.model import Terms
from flashsale.usecases.sales import open_sale
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import CONNECTIONS, SHOPS
from flashsale_local.sale.load import Answer, buy_all
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.sale.warm_up import warm_up

# What each generation is, in the words of its button.
IDEAS = {
    1: "naive read-modify-write",
    2: "atomic SQL",
    3: "Redis + synchronous write",
    4: "Redis + queue",
    5: "claim and journal, no gap",
}
# A spike: few units, many buyers, and the seconds after which it ends in any case.
UNITS, BUYERS, DEADLINE = 60, 240, 60.0
# While PostgreSQL is down, each buyer of V1 to V3 waits two seconds for it. So there are fewer.
BUYERS_IN_OUTAGE = 24
MAX_UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Channel:
    """A generation and the edge that serves it."""

    generation: int
    edge: str

    @property
    def name(self) -> str:
        """The label of its button."""
        return f"V{self.generation}" + (" ASGI" if self.edge == "asgi" else "")

    @property
    def idea(self) -> str:
        """What it is, in a few words."""
        return "V5 on a web server" if self.edge == "asgi" else IDEAS[self.generation]

    @property
    def queued(self) -> bool:
        """Whether its orders go through the queue."""
        return self.generation in (4, 5)


CHANNELS = [Channel(*shop) for shop in SHOPS]


@dataclass(frozen=True, slots=True)
class OpenedSale:
    """A product that this page opened. One generation sells one product."""

    product_id: str
    channel: Channel
    units: int


class Shop:
    """Opens sales and sends buyers, over the deployed HTTP API.

    Attributes:
        opened_here: ids of the products that it has put on sale, or is about to.

    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self.channels = [channel for channel in CHANNELS if channel.edge in target.edges]
        self._reserve: dict[Channel, OpenedSale] = {}
        self._opened = 0
        self.opened_here: set[str] = set()
        self._warm = False

    async def open_sale(self, channel: Channel, units: int, hold_seconds: int = 0) -> OpenedSale:
        """Put a new product on sale.

        Args:
            hold_seconds: for which a buyer of V5 may pay; 0: an order is CONFIRMED at once.

        """
        self._opened += 1
        edge = "-asgi" if channel.edge == "asgi" else ""
        product_id = f"live-v{channel.generation}{edge}-{int(time.time()):x}-{self._opened}"
        self.opened_here.add(product_id)
        async with self._target.services() as services:
            await seed(services, user_ids(BUYERS), [product_id], units)
            terms = Terms(generation=channel.generation, hold_seconds=hold_seconds)
            await open_sale(services, product_id, terms)
        return OpenedSale(product_id, channel, units)

    async def warm_up(self) -> None:
        """Start the functions' execution environments once, so that spikes meet no cold start."""
        if not self._warm:
            await warm_up(self._target)
            self._warm = True

    async def fill_reserve(self) -> None:
        """Open a product for each channel in advance: that is impossible without PostgreSQL."""
        for channel in self.channels:
            if channel not in self._reserve:
                self._reserve[channel] = await self.open_sale(channel, UNITS)

    async def next_sale(
        self, channel: Channel, hold_seconds: int, *, postgres_up: bool
    ) -> OpenedSale:
        """Return a product for a spike: a new one, or the reserved one while PostgreSQL is down.

        Raises:
            Problem: no product is reserved for this channel. None is with a payment hold.

        """
        if postgres_up:
            return await self.open_sale(channel, UNITS, hold_seconds)
        if hold_seconds or channel not in self._reserve:
            raise Problem(
                f"There is no product left for {channel.name}.", "Start PostgreSQL first."
            )
        return self._reserve.pop(channel)

    async def buy_one(
        self, product_id: str, channel: Channel, report: Callable[[Answer], None]
    ) -> Answer:
        """Buy one unit as a random user."""
        user = random.choice(user_ids(BUYERS))  # noqa: S311 - no secret
        url = self._target.edges[channel.edge]
        (answer,) = await buy_all(url, channel.generation, product_id, [user], 1, report)
        return answer

    async def spike(
        self, sale: OpenedSale, report: Callable[[Answer], None], *, postgres_up: bool
    ) -> list[Answer]:
        """Send many buyers at once. Return the answers that came before the deadline."""
        few = not postgres_up and not sale.channel.queued
        users = user_ids(BUYERS_IN_OUTAGE if few else BUYERS)
        answers: list[Answer] = []

        def keep(answer: Answer) -> None:
            answers.append(answer)
            report(answer)

        url, generation = self._target.edges[sale.channel.edge], sale.channel.generation
        try:
            async with asyncio.timeout(DEADLINE):
                await buy_all(url, generation, sale.product_id, users, CONNECTIONS, keep)
        except TimeoutError:
            pass  # buyers without an answer are not counted
        return answers


def accepted_count(answers: list[Answer]) -> int:
    """Return how many buyers got a unit."""
    return sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
