"""What all open pages share: the chosen sale and the readings of it."""

import asyncio
import logging
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError

from flashsale.errors import FlashsaleError
from flashsale.services import Services
from flashsale.usecases.books import Books
from flashsale_local.deployment.target import Target
from flashsale_local.live_page.postgres_switch import PostgresSwitch
from flashsale_local.live_page.reading import MAX_MESSAGES, Reading, read
from flashsale_local.live_page.shop import Channel, OpenedSale
from flashsale_local.live_page.verdict import Verdict, is_at_rest, judge
from flashsale_local.problems import Problem
from flashsale_local.queues import failed
from flashsale_local.sale.load import Answer
from flashsale_server.queues.messages import FailedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds between two readings, and the number of readings that are kept.
INTERVAL, KEPT = 0.5, 240
MAX_PRODUCTS = 40

# Errors whose cause is outside this process. They are logged without a traceback.
EXPECTED_ERRORS = (FlashsaleError, Problem, BotoCoreError, ClientError, HTTPError, OSError)

logger = logging.getLogger(__name__)


class Watch:
    """Reads the chosen sale twice a second, while a browser shows the page.

    Attributes:
        switch: None where PostgreSQL does not belong to the local stack.
        products: ids to choose from, newest first. They include the chosen one.
        history: readings of the chosen product, newest last.
        failed: messages of `dlq` and `parking` when they were last read.
        busy: the name of the action that runs now, or "".

    """

    def __init__(self, target: Target, switch: PostgresSwitch | None) -> None:
        self.target = target
        self.switch = switch
        self.postgres_up = True
        self.chosen = ""
        self.products: list[str] = []
        self.history: deque[Reading] = deque(maxlen=KEPT)
        self.failed: list[FailedMessage] = []
        self.busy = ""
        self._buying = ""
        self._sales: dict[str, OpenedSale] = {}
        self._last_known: dict[str, Books] = {}
        self._answers: list[Answer] = []

    @property
    def verdict(self) -> Verdict:
        """The verdict on the chosen sale."""
        if not self.history:
            return judge(Reading(0), None, buying=False, queued=False)
        now, before = self.history[-1], self.history[-2] if len(self.history) > 1 else None
        return judge(
            now,
            before,
            buying=self._buying == self.chosen,
            queued=self.channel_of(self.chosen).queued,
            age=time.time() - now.at,
        )

    @cached_property
    def sqs(self) -> "SQSClient":
        """One client for all readings, because creating it takes longer than a reading."""
        return boto3.client("sqs")

    @property
    def peeking_is_free(self) -> bool:
        """Whether peeking at a message changes nothing. On AWS it counts as a receive."""
        return bool(self.target.endpoint_url)

    def channel_of(self, product_id: str) -> Channel:
        """Return the channel that sells a product. It is V5 until the first order shows it."""
        if sale := self._sales.get(product_id):
            return sale.channel
        books = self._last_known.get(product_id)
        return Channel(max(books.generations) if books and books.generations else 5, "lambda")

    def last_known(self, product_id: str) -> Books | None:
        """Return a product's books when PostgreSQL last answered."""
        return self._last_known.get(product_id)

    def choose(self, product_id: str) -> None:
        """Watch this product from now on."""
        if product_id and product_id != self.chosen:
            self.chosen = product_id
            self.history.clear()

    def add(self, sale: OpenedSale) -> None:
        """Watch a sale that was opened from this page."""
        self._sales[sale.product_id] = sale
        self.products = [sale.product_id, *self.products][:MAX_PRODUCTS]
        # The books of a new product are known, even if PostgreSQL stops before they are read.
        fresh = Books(sale.product_id, (), sale.units, None, sale.units, 0, 0)
        self._last_known[sale.product_id] = fresh
        self.choose(sale.product_id)
        self.history.append(Reading(time.time(), fresh))

    @contextmanager
    def sending_buyers(self, product_id: str) -> Iterator[None]:
        """Mark the product as not at rest: until this ends, only V5 can be judged."""
        self._buying = product_id
        try:
            yield
        finally:
            self._buying = ""

    def add_answer(self, answer: Answer) -> None:
        """Count a buyer's waiting time in the next reading."""
        self._answers.append(answer)

    async def run(self, has_viewers: Callable[[], bool]) -> None:
        """Take readings until the task is cancelled."""
        while True:
            if has_viewers():
                try:
                    await self._read_until_failure(has_viewers)
                except Exception as error:  # noqa: BLE001 - a page that stops reading would be wrong
                    self._add_failure(error)
            await asyncio.sleep(INTERVAL)

    async def _read_until_failure(self, has_viewers: Callable[[], bool]) -> None:
        # After an outage a pool waits long before it reconnects. A new pool connects at once.
        async with self.target.services() as services:
            while has_viewers():
                seen = await self.take_reading(services)
                if seen.down:
                    return
                await asyncio.sleep(INTERVAL)

    def _add_failure(self, error: Exception) -> None:
        expected = isinstance(error, EXPECTED_ERRORS)
        logger.warning("no reading: %r", error, exc_info=not expected)
        down = self.target.cloud.name if expected else "The stack"
        self.history.append(Reading(time.time(), down=(down,)))

    async def take_reading(self, services: Services) -> Reading:
        """Read the chosen product and append the reading to the history."""
        if switch := self.switch:
            self.postgres_up = await asyncio.to_thread(lambda: switch.is_on)
        if self.postgres_up:
            await self._list_products(services)
        product_id = self.chosen
        seen = await self.read(services, product_id)
        if seen.books and not seen.down:
            self._last_known[product_id] = seen.books
        if product_id == self.chosen:
            before = self.history[-1] if self.history else None
            at_rest = is_at_rest(seen, before, buying=self._buying == product_id)
            self.history.append(replace(seen, latency_ms=self._latency(), at_rest=at_rest))
        if self.peeking_is_free:
            await self._show_failed(services, seen.failed)
        return seen

    async def read(self, services: Services, product_id: str) -> Reading:
        """Read a product without adding to the history."""
        return await read(
            self.target,
            services,
            self.sqs,
            product_id,
            self.last_known(product_id),
            queued=self.channel_of(product_id).queued,
            postgres_up=self.postgres_up,
        )

    async def peek_at_failed(self, services: Services) -> None:
        """Read the failed messages and their causes where readings do not include them."""
        found = await asyncio.to_thread(failed.look_at_all, self.target, MAX_MESSAGES)
        await self._show_failed(services, found)

    async def _show_failed(self, services: Services, found: Sequence[FailedMessage]) -> None:
        self.failed = await failed.with_causes(services, found)

    async def _list_products(self, services: Services) -> None:
        try:
            products = await services.products.list_all()
        except FlashsaleError:
            return  # the reading will report that PostgreSQL is down
        newest = [product.id for product in reversed(products)]
        self.choose(self.chosen or next(iter(newest), ""))
        self.products = newest[:MAX_PRODUCTS]
        if self.chosen in newest[MAX_PRODUCTS:]:  # keep it selectable
            self.products.append(self.chosen)

    def _latency(self) -> tuple[float, float] | None:
        seconds = [answer.seconds for answer in self._answers]
        self._answers.clear()
        if not seconds:
            return None
        cuts = statistics.quantiles([*seconds, seconds[-1]], n=20, method="inclusive")
        return cuts[9] * 1000, cuts[18] * 1000
