"""What a visitor does, one thing at a time, and what is said about it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from flashsale.books import Books
from infra import failed
from infra.answers import Kind
from infra.monitor.outage import Outage
from infra.monitor.reading import read
from infra.monitor.shop import OnSale, Shop, Way, accepted_of
from infra.monitor.story import tell
from infra.monitor.watch import PACE, TROUBLE, Watch

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
            answer = await self._shop.buy_one(product_id, way, self._watch.answered)
            took = f"after {answer.seconds * 1000:.0f} ms"
            if answer.kind is Kind.ACCEPTED:
                return f"{way.name} sold you one unit of {product_id} {took}."
            if answer.kind is Kind.SOLD_OUT:
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
            answers = await self._shop.spike(sale, self._watch.answered, postgres_up=up)
            books = await self._await_orders(sale, accepted_of(answers), postgres_up=up)
            if books is None:
                return f"{way.name}: nobody can say yet what became of {len(answers)} buyers."
            return tell(way, answers, books, postgres_up=up)

        await self._do(f"Spike through {way.name}", act)

    async def toggle_postgres(self) -> None:
        """Stop PostgreSQL, or start it."""

        async def stop() -> str:
            await self._shop.fill_shelf()
            await asyncio.to_thread(self._outage.stop)
            return "PostgreSQL is stopped. Send a spike through V3, then one through V5."

        async def start() -> str:
            await asyncio.to_thread(self._outage.start)
            return "PostgreSQL is back. Orders that wait are written now, or tried again soon."

        if await asyncio.to_thread(lambda: self._outage.postgres_up):
            await self._do("Stopping PostgreSQL", stop)
        else:
            await self._do("Starting PostgreSQL", start)

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
        except TROUBLE as error:
            logger.warning("%s: %s", name, error)
            self.news.appendleft(f"{name} failed: {error}")
        finally:
            self._watch.busy = ""

    async def _await_orders(
        self, sale: OnSale, accepted: int, *, postgres_up: bool
    ) -> Books | None:
        """The books once all orders are written, or after a while; what is known without them."""
        watch, end = self._watch, time.monotonic() + SETTLING
        async with watch.target.services() as services:
            while True:
                seen = await read(
                    watch.target,
                    services,
                    sale.product_id,
                    watch.known(sale.product_id),
                    queued=sale.way.queued,
                    postgres_up=postgres_up,
                )
                books = seen.books
                if seen.down or books is None:
                    return books
                written = books.confirmed + books.cancelled >= accepted and not books.unsettled
                if written or time.monotonic() > end:
                    return books
                await asyncio.sleep(PACE / 4)
