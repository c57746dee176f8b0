"""What all open pages share: the chosen sale and the readings of it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from flashsale.errors import FlashsaleError
from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_local.live_page.expected_errors import EXPECTED_ERRORS
from flashsale_local.live_page.following import Following
from flashsale_local.live_page.history import History
from flashsale_local.live_page.known_sales import KnownSales, newest_of_each_generation
from flashsale_local.live_page.latency import Latency
from flashsale_local.live_page.postgres_switch import PostgresSwitch
from flashsale_local.live_page.queue_look import MAX_MESSAGES, QueueLook, QueueLooks
from flashsale_local.live_page.reading import Reading, failed_in, read
from flashsale_local.live_page.scoreboard import Scoreboard
from flashsale_local.live_page.shop import Channel, OpenedSale
from flashsale_local.live_page.verdict import Verdict, judge
from flashsale_local.queues import failed
from flashsale_local.sale.load import Answer
from flashsale_server.queues.messages import FailedMessage

# Seconds between two readings of the local stack, so that a spike is a curve.
OFTEN = 0.1
# Seconds between two looks into the queues, two readings on AWS, and two tries without an answer.
SELDOM = 0.5
MAX_PRODUCTS = 40

logger = logging.getLogger(__name__)


class Watch:
    """Reads the chosen sale while a browser shows the page, once for all browsers.

    Attributes:
        switch: None where PostgreSQL does not belong to the local stack.
        products: ids to choose from, newest first. They include the chosen one.
        following: the sales that others open.
        scoreboard: the last sale of each generation.
        failed: messages of `dlq` and `parking` when they were last read.
        busy: the name of the action that runs now, or "".

    """

    def __init__(self, target: Target, switch: PostgresSwitch | None) -> None:
        self.target = target
        self.switch = switch
        self.postgres_up = True
        self.chosen = ""
        self.products: list[str] = []
        self.following = Following()
        self.scoreboard = Scoreboard()
        self.failed: list[FailedMessage] = []
        self.busy = ""
        self._buying = ""
        self._known = KnownSales()
        self._latency = Latency()
        self._history = History()
        self._queues = QueueLooks(target)
        self._look: QueueLook | None = None
        self._begun = False

    @property
    def history(self) -> deque[Reading]:
        """Readings of the chosen product, newest last."""
        return self._history.readings

    @property
    def verdict(self) -> Verdict:
        """The verdict on the chosen sale."""
        now = self._history.last
        if now is None:
            return judge(Reading(0), None, buying=False)
        buying = self._buying == self.chosen
        age = time.time() - now.at
        # The charts show this reading, too, so both go by what it found.
        before = self._history.earlier(now) if now.at_rest else None
        return judge(now, before, buying=buying, age=age)

    @property
    def peeking_is_free(self) -> bool:
        """Whether peeking at a message changes nothing. On AWS it counts as a receive."""
        return bool(self.target.endpoint_url)

    def channel_of(self, product_id: str) -> Channel:
        """Return the channel that sells a product."""
        return self._known.channel_of(product_id)

    def choose(self, product_id: str) -> None:
        """Watch this product from now on."""
        if product_id and product_id != self.chosen:
            self.chosen = product_id
            self._history.clear()

    def choose_by_hand(self, product_id: str) -> None:
        """Watch this product, and no longer follow other sales."""
        if product_id and product_id != self.chosen:
            self.following.on = False
            self.choose(product_id)

    def add(self, sale: OpenedSale) -> None:
        """Watch a sale that was opened from this page, and follow the sales that come after it."""
        self.following.on = True
        self.products = [sale.product_id, *self.products][:MAX_PRODUCTS]
        self.choose(sale.product_id)
        books = self._known.add(sale)
        self.keep(Reading(time.time(), books, queued=sale.channel.queued))

    def keep(self, seen: Reading) -> None:
        """Add a reading of the chosen product to the history."""
        self._history.add(seen, buying=self._buying == self.chosen)

    @contextmanager
    def sending_buyers(self, product_id: str) -> Iterator[None]:
        """Mark the product as not at rest: until this ends, only V5 can be judged."""
        self._buying = product_id
        try:
            yield
        finally:
            self._buying = ""

    def add_answer(self, answer: Answer) -> None:
        """Count a buyer's answer."""
        self._latency.add(answer)
        self.scoreboard.add_answer(self._buying, answer)

    async def run(self, has_viewers: Callable[[], bool]) -> None:
        """Take readings until the task is cancelled."""
        while True:
            if has_viewers():
                try:
                    await self._read_until_failure(has_viewers)
                except Exception as error:  # noqa: BLE001 - a page that stops reading would be wrong
                    self._add_failure(error)
            await asyncio.sleep(SELDOM)

    async def _read_until_failure(self, has_viewers: Callable[[], bool]) -> None:
        interval = OFTEN if self.peeking_is_free else SELDOM
        async with self.target.services() as services:
            looking = asyncio.create_task(self._look_around(services))
            try:
                await looking
                while has_viewers():
                    if looking.done():
                        await looking
                        looking = asyncio.create_task(self._look_around(services, SELDOM))
                    was_up = self.postgres_up
                    seen = await self.take_reading(services)
                    # After an outage a pool waits long before it reconnects, but a new pool
                    # connects at once. While PostgreSQL is known to be stopped, none is needed.
                    if self.postgres_up and (seen.down or not was_up):
                        return
                    await asyncio.sleep(interval)
            finally:
                looking.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await looking

    def _add_failure(self, error: Exception) -> None:
        expected = isinstance(error, EXPECTED_ERRORS)
        logger.warning("no reading: %r", error, exc_info=not expected)
        down = self.target.cloud.name if expected else "The stack"
        self.keep(Reading(time.time(), down=(down,)))

    async def take_reading(self, services: Services) -> Reading:
        """Read the chosen product and append the reading to the history."""
        if switch := self.switch:
            self.postgres_up = await asyncio.to_thread(lambda: switch.is_on)
        product_id = self.chosen
        seen = await self.read(services, product_id, self._look)
        self._score(product_id, seen)
        if product_id == self.chosen:
            self.keep(replace(seen, latency_ms=self._latency.recent_ms()))
        return seen

    async def read(
        self, services: Services, product_id: str, seen: QueueLook | None = None
    ) -> Reading:
        """Read a product without adding to the history. Without a look, take one first."""
        found = await read(
            services,
            product_id,
            self._known.books_of(product_id),
            seen or await self._queues.take(),
            queued=self.channel_of(product_id).queued,
            postgres_up=self.postgres_up,
        )
        if found.books and not found.down:
            self._known.keep(found.books)
        return found

    async def peek_at_failed(self, services: Services) -> None:
        """Read the failed messages and their causes where looks do not include them."""
        found = await asyncio.to_thread(failed.look_at_all, self.target, MAX_MESSAGES)
        await self._show_failed(services, found)

    async def _show_failed(self, services: Services, found: Sequence[FailedMessage]) -> None:
        self.failed = await failed.with_causes(services, found)

    async def _look_around(self, services: Services, pause: float = 0.0) -> None:
        """After a pause, read what changes less often than the figures of the chosen sale."""
        await asyncio.sleep(pause)
        self._look = seen = await self._queues.take()
        if self.postgres_up:
            await self._list_products(services)
        await self._add_earlier_sales(services)
        for product_id in self.scoreboard.unsettled:
            if product_id != self.chosen:
                self._score(product_id, await self.read(services, product_id, seen))
        if self.peeking_is_free:
            await self._show_failed(services, failed_in(seen))

    async def _add_earlier_sales(self, services: Services) -> None:
        """Fill the scoreboard once, at the beginning, with what was sold before."""
        if self._begun or not self.postgres_up:
            return
        with suppress(FlashsaleError):  # the reading will report what is down
            for books in await newest_of_each_generation(services, self.products):
                self._known.keep(books)
                self._score(books.product_id, Reading(time.time(), books))
            self._begun = True

    def _score(self, product_id: str, seen: Reading) -> None:
        if self._known.knows_channel_of(product_id):
            name = self.channel_of(product_id).name
            self.scoreboard.add(name, product_id, seen, buying=self._buying == product_id)

    async def _list_products(self, services: Services) -> None:
        try:
            # In this order, each sale has its product.
            sales = await services.stock.list_sales()
            newest = [product.id for product in reversed(await services.products.list_all())]
        except FlashsaleError:
            return  # the reading will report what is down
        self.choose(self.chosen or next(iter(newest), ""))
        if not self._buying:  # this page's own spike is shown to its end
            self.choose(self.following.newest(sales, newest))
        self.products = newest[:MAX_PRODUCTS]
        if self.chosen in newest[MAX_PRODUCTS:]:  # keep it selectable
            self.products.append(self.chosen)
