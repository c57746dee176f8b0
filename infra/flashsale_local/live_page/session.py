"""What a visitor does, one thing at a time, and what is said about it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from flashsale.usecases.books import Books
from flashsale_local.live_page.outage import Outage
from flashsale_local.live_page.shop import OnSale, Shop, Way, accepted_of
from flashsale_local.live_page.summary import tell
from flashsale_local.live_page.watch import PACE, TROUBLE, Watch
from flashsale_local.problems import Problem
from flashsale_local.queues import failed
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import all_written

NEWS = 5
# Seconds for the orders of a spike to be written before its story is told.
SETTLING = 20.0

logger = logging.getLogger(__name__)


class Visit:
    """The visitor's hands; exists only where all servers are the local stack's own.

    Attributes:
        news: what was done and what came of it, newest first.

    """

    def __init__(self, watch: Watch, shop: Shop, outage: Outage) -> None:
        self._watch, self._shop, self._outage = watch, shop, outage
        self.ways = shop.ways
        self.news: deque[str] = deque(maxlen=NEWS)

    async def open_sale(self, way: Way, units: int) -> None:
        """Open a sale and look at it."""

        async def act() -> str:
            sale = await self._shop.open_sale(way, units)
            self._watch.add(sale)
            return f"{sale.product_id} is on sale: {units} units, sold by {way.name}."

        await self._do("Opening a sale", act)

    async def buy_one(self) -> None:
        """Buy one unit of the product that is looked at."""

        async def act() -> str:
            product_id = self._watch.chosen
            way = self._watch.way_of(product_id)
            with self._watch.sending_buyers(product_id):
                answer = await self._shop.buy_one(product_id, way, self._watch.answered)
            took = f"after {answer.seconds * 1000:.0f} ms"
            if answer.kind is AnswerKind.ACCEPTED:
                return f"{way.name} sold you one unit of {product_id} {took}."
            if answer.kind is AnswerKind.SOLD_OUT:
                return f"{product_id} is sold out; you heard so {took}."
            return f"{way.name} sold you nothing; it answered {answer.detail} {took}."

        await self._do("Buying one", act)

    async def spike(self, way: Way) -> None:
        """Send a crowd for a product of its own."""

        async def act() -> str:
            up = await asyncio.to_thread(lambda: self._outage.postgres_up)
            if up:
                await self._shop.warm_up()
            sale = await self._shop.next_sale(way, postgres_up=up)
            self._watch.add(sale)
            with self._watch.sending_buyers(sale.product_id):
                answers = await self._shop.spike(sale, self._watch.answered, postgres_up=up)
                books = await self._await_orders(sale, accepted_of(answers))
            if books is None:
                return f"{way.name}: nobody can say yet what became of {len(answers)} buyers."
            return tell(way, answers, books, postgres_up=up)

        await self._do(f"Spike through {way.name}", act)

    async def switch_postgres(self, *, on: bool) -> None:
        """Start PostgreSQL, or stop it; nothing if it is so already."""

        async def act() -> str:
            if await asyncio.to_thread(lambda: self._outage.postgres_up) == on:
                said = f"PostgreSQL was {'running' if on else 'stopped'} already."
            elif on:
                await asyncio.to_thread(self._outage.start)
                said = "PostgreSQL is back. Orders that wait are written now, or tried again soon."
            else:
                await self._shop.fill_shelf()
                await asyncio.to_thread(self._outage.stop)
                said = "PostgreSQL is stopped. Send a spike through V3, then one through V5."
            self._watch.postgres_up = on
            return said

        await self._do(f"{'Starting' if on else 'Stopping'} PostgreSQL", act)

    async def redrive(self, queue: str) -> None:
        """Send the messages of a queue back to where they came from."""

        async def act() -> str:
            return await asyncio.to_thread(failed.redrive, self._watch.target, queue)

        await self._do(f"Redriving {queue}", act)

    async def _do(self, name: str, act: Callable[[], Awaitable[str]]) -> None:
        if self._watch.busy:
            return
        self._watch.busy = name
        try:
            self.news.appendleft(await act())
        except Problem as problem:
            self.news.appendleft(f"{problem.cause} {problem.way_out}")
        except Exception as error:
            logger.warning("%s: %r", name, error, exc_info=not isinstance(error, TROUBLE))
            self.news.appendleft(f"{name} failed: {str(error) or repr(error)}")
        finally:
            self._watch.busy = ""

    async def _await_orders(self, sale: OnSale, accepted: int) -> Books | None:
        """The books once all orders are written, or after a while; what is known without them."""
        end = time.monotonic() + SETTLING
        async with self._watch.target.services() as services:
            while True:
                seen = await self._watch.read(services, sale.product_id)
                books = seen.books
                if seen.down or books is None:
                    return books
                if all_written(books, accepted) or time.monotonic() > end:
                    return books
                await asyncio.sleep(PACE / 4)
