"""What a visitor can do on the page. One action runs at a time, and each reports its result."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

from flashsale.usecases.books import Books
from flashsale_local.live_page.expected_errors import EXPECTED_ERRORS
from flashsale_local.live_page.payments import HOLD, by_provider, pay_held, when_they_expire
from flashsale_local.live_page.postgres_switch import PostgresSwitch
from flashsale_local.live_page.shop import Channel, OpenedSale, Shop, accepted_count
from flashsale_local.live_page.summary import summarize
from flashsale_local.live_page.watch import Watch
from flashsale_local.problems import Problem
from flashsale_local.queues import failed
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.demo import all_written

# The number of results that the page shows.
RESULTS = 5
# Seconds that the orders of a spike have to be written before its summary is shown.
SETTLING = 20.0
# Seconds between two readings meanwhile.
PAUSE = 0.125

logger = logging.getLogger(__name__)


class Actions:
    """The actions behind the buttons. They exist only where all servers are the local stack's own.

    Attributes:
        results: one text for each action that ended, newest first.

    """

    def __init__(self, watch: Watch, shop: Shop, switch: PostgresSwitch) -> None:
        self._watch, self._shop, self._switch = watch, shop, switch
        self.channels = shop.channels
        # V5 on the web server, if it runs: it ends holds sooner.
        self._holding = shop.channels[-1]
        watch.following.opened_here = shop.opened_here
        self.results: deque[str] = deque(maxlen=RESULTS)

    async def open_sale(self, channel: Channel, units: int) -> None:
        """Open a sale and watch it."""

        async def act() -> str:
            sale = await self._shop.open_sale(channel, units)
            self._watch.add(sale)
            return f"{sale.product_id} is on sale: {units} units, sold by {channel.name}."

        await self._run("Opening a sale", act)

    async def buy_one(self) -> None:
        """Buy one unit of the watched product."""

        async def act() -> str:
            product_id = self._watch.chosen
            channel = self._watch.channel_of(product_id)
            with self._watch.sending_buyers(product_id):
                answer = await self._shop.buy_one(product_id, channel, self._watch.add_answer)
            duration = f"after {answer.seconds * 1000:.0f} ms"
            if answer.kind is AnswerKind.ACCEPTED:
                return f"{channel.name} sold you one unit of {product_id} {duration}."
            if answer.kind is AnswerKind.SOLD_OUT:
                return f"{product_id} is sold out. The answer came {duration}."
            return f"{channel.name} sold you nothing. It answered {answer.detail} {duration}."

        await self._run("Buying one", act)

    async def spike_with_hold(self) -> None:
        """Send a crowd of buyers to a new product of V5, whose orders are held until paid."""
        await self.spike(self._holding, HOLD)

    async def pay(self, count: int | None) -> None:
        """Pay so many held orders of the watched product, or all."""

        async def act() -> str:
            product_id, target = self._watch.chosen, self._watch.target
            channel = self._watch.channel_of(product_id)
            pay = await asyncio.to_thread(lambda: by_provider(target, target.edges[channel.edge]))
            async with target.services() as services:
                return await pay_held(services, product_id, count, pay)

        await self._run("Paying", act)

    async def let_expire(self) -> None:
        """Say when the held orders of the watched product expire, if nobody pays."""

        async def act() -> str:
            async with self._watch.target.services() as services:
                return await when_they_expire(services, self._watch.chosen, self._holding.edge)

        await self._run("Looking for holds", act)

    async def spike(self, channel: Channel, hold_seconds: int = 0) -> None:
        """Send a crowd of buyers to a new product."""

        async def act() -> str:
            postgres_up = await asyncio.to_thread(lambda: self._switch.is_on)
            if postgres_up:
                await self._shop.warm_up()
            sale = await self._shop.next_sale(channel, hold_seconds, postgres_up=postgres_up)
            self._watch.add(sale)
            with self._watch.sending_buyers(sale.product_id):
                answers = await self._shop.spike(
                    sale, self._watch.add_answer, postgres_up=postgres_up
                )
                books = await self._await_orders(sale, accepted_count(answers))
            if books is None:
                return f"{channel.name}: the result for {len(answers)} buyers is not known yet."
            return summarize(channel, answers, books, postgres_up=postgres_up)

        await self._run(f"Spike through {channel.name}", act)

    async def switch_postgres(self, *, on: bool) -> None:
        """Start or stop PostgreSQL, unless it is in that state already."""

        async def act() -> str:
            if await asyncio.to_thread(lambda: self._switch.is_on) == on:
                result = f"PostgreSQL was already {'running' if on else 'stopped'}."
            elif on:
                await asyncio.to_thread(self._switch.start)
                result = "PostgreSQL is back. Waiting orders are written now, or retried soon."
            else:
                await self._shop.fill_reserve()
                await asyncio.to_thread(self._switch.stop)
                result = "PostgreSQL is stopped. Send a spike through V3, then one through V5."
            self._watch.postgres_up = on
            return result

        await self._run(f"{'Starting' if on else 'Stopping'} PostgreSQL", act)

    async def redrive(self, queue: str) -> None:
        """Move the messages of a queue back to where they came from."""

        async def act() -> str:
            return await asyncio.to_thread(failed.redrive, self._watch.target, queue)

        await self._run(f"Redriving {queue}", act)

    async def _run(self, name: str, act: Callable[[], Awaitable[str]]) -> None:
        if self._watch.busy:
            return
        self._watch.busy = name
        try:
            self.results.appendleft(await act())
        except Problem as problem:
            self.results.appendleft(f"{problem.cause} {problem.way_out}")
        except Exception as error:
            logger.warning("%s: %r", name, error, exc_info=not isinstance(error, EXPECTED_ERRORS))
            self.results.appendleft(f"{name} failed: {str(error) or repr(error)}")
        finally:
            self._watch.busy = ""

    async def _await_orders(self, sale: OpenedSale, accepted: int) -> Books | None:
        """Return the books once all orders are written, or the last ones after a while."""
        end = time.monotonic() + SETTLING
        async with self._watch.target.services() as services:
            while True:
                seen = await self._watch.read(services, sale.product_id)
                books = seen.books
                if seen.down or books is None:
                    return books
                if all_written(books, accepted) or time.monotonic() > end:
                    return books
                await asyncio.sleep(PAUSE)
