"""What all open pages share: the chosen sale, and what was seen of it."""

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
from flashsale_local.live_page.outage import Outage
from flashsale_local.live_page.reading import MESSAGES, Reading, read
from flashsale_local.live_page.shop import OnSale, Way
from flashsale_local.live_page.verdict import Verdict, judge, rests
from flashsale_local.problems import Problem
from flashsale_local.queues import failed
from flashsale_local.sale.load import Answer
from flashsale_server.queues.messages import FailedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds between two looks, and how many are remembered.
PACE, REMEMBERED = 0.5, 240
PRODUCTS = 40

# What goes wrong outside this process, and is shown to the visitor.
TROUBLE = (FlashsaleError, Problem, BotoCoreError, ClientError, HTTPError, OSError)

logger = logging.getLogger(__name__)


class Watch:
    """Looks at the chosen sale twice a second, while somebody looks at the page.

    Attributes:
        outage: None where PostgreSQL is not the local stack's own.
        products: ids to choose from: the newest first, and the chosen one.
        history: readings of the chosen product, the last one newest.
        failed: messages of `dlq` and `parking` when they were last looked at.
        busy: what a visitor is doing now, or "".

    """

    def __init__(self, target: Target, outage: Outage | None) -> None:
        self.target = target
        self.outage = outage
        self.postgres_up = True
        self.chosen = ""
        self.products: list[str] = []
        self.history: deque[Reading] = deque(maxlen=REMEMBERED)
        self.failed: list[FailedMessage] = []
        self.busy = ""
        self._buying = ""
        self._sales: dict[str, OnSale] = {}
        self._known: dict[str, Books] = {}
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
            queued=self.way_of(self.chosen).queued,
            age=time.time() - now.at,
        )

    @cached_property
    def sqs(self) -> "SQSClient":
        """One client for all looks: to make one takes longer than to look."""
        return boto3.client("sqs")

    @property
    def looks_freely(self) -> bool:
        """Whether looking at a message changes nothing; on AWS it counts as a receive."""
        return bool(self.target.endpoint_url)

    def way_of(self, product_id: str) -> Way:
        """How a product is sold; by V5 where nobody has bought it yet."""
        if sale := self._sales.get(product_id):
            return sale.way
        books = self._known.get(product_id)
        return Way(max(books.generations) if books and books.generations else 5, "lambda")

    def known(self, product_id: str) -> Books | None:
        """A product's books when PostgreSQL last answered."""
        return self._known.get(product_id)

    def choose(self, product_id: str) -> None:
        """Look at this product from now on."""
        if product_id and product_id != self.chosen:
            self.chosen = product_id
            self.history.clear()

    def add(self, sale: OnSale) -> None:
        """Look at a sale that was opened here."""
        self._sales[sale.product_id] = sale
        self.products = [sale.product_id, *self.products][:PRODUCTS]
        # A new product is as it was made, even if PostgreSQL stops before it is read.
        fresh = Books(sale.product_id, (), sale.units, None, sale.units, 0, 0)
        self._known[sale.product_id] = fresh
        self.choose(sale.product_id)
        self.history.append(Reading(time.time(), fresh))

    @contextmanager
    def sending_buyers(self, product_id: str) -> Iterator[None]:
        """While this lasts, only V5's units of this product can be judged."""
        self._buying = product_id
        try:
            yield
        finally:
            self._buying = ""

    def answered(self, answer: Answer) -> None:
        """Remember how long a buyer waited, for the next reading."""
        self._answers.append(answer)

    async def run(self, is_watched: Callable[[], bool]) -> None:
        """Look again and again, until cancelled."""
        while True:
            if is_watched():
                try:
                    await self._look_until_trouble(is_watched)
                except Exception as error:  # noqa: BLE001 - a page that looks no more would lie
                    self._saw_nothing(error)
            await asyncio.sleep(PACE)

    async def _look_until_trouble(self, is_watched: Callable[[], bool]) -> None:
        # A pool that met an outage backs off for long; a new one tries at once.
        async with self.target.services() as services:
            while is_watched():
                seen = await self.look(services)
                if seen.down:
                    return
                await asyncio.sleep(PACE)

    def _saw_nothing(self, error: Exception) -> None:
        known = isinstance(error, TROUBLE)
        logger.warning("no reading: %r", error, exc_info=not known)
        silent = self.target.cloud.name if known else "The stack"
        self.history.append(Reading(time.time(), down=(silent,)))

    async def look(self, services: Services) -> Reading:
        """One reading of the chosen product, appended to the history."""
        if outage := self.outage:
            self.postgres_up = await asyncio.to_thread(lambda: outage.postgres_up)
        if self.postgres_up:
            await self._list_products(services)
        product_id = self.chosen
        seen = await self.read(services, product_id)
        if seen.books and not seen.down:
            self._known[product_id] = seen.books
        if product_id == self.chosen:
            before = self.history[-1] if self.history else None
            resting = rests(seen, before, buying=self._buying == product_id)
            self.history.append(replace(seen, latency_ms=self._latency(), rests=resting))
        if self.looks_freely:
            await self._show_failed(services, seen.failed)
        return seen

    async def read(self, services: Services, product_id: str) -> Reading:
        """One reading of any product."""
        return await read(
            self.target,
            services,
            self.sqs,
            product_id,
            self.known(product_id),
            queued=self.way_of(product_id).queued,
            postgres_up=self.postgres_up,
        )

    async def look_at_failed(self, services: Services) -> None:
        """See which messages failed, and why, where looks do not do it by themselves."""
        found = await asyncio.to_thread(failed.look_at_all, self.target, MESSAGES)
        await self._show_failed(services, found)

    async def _show_failed(self, services: Services, found: Sequence[FailedMessage]) -> None:
        self.failed = await failed.with_causes(services, found)

    async def _list_products(self, services: Services) -> None:
        try:
            known = await services.products.list_all()
        except FlashsaleError:
            return  # the reading will say that PostgreSQL is down
        newest = [product.id for product in reversed(known)]
        self.choose(self.chosen or next(iter(newest), ""))
        self.products = newest[:PRODUCTS]
        if self.chosen in newest[PRODUCTS:]:  # others are made while it is looked at
            self.products.append(self.chosen)

    def _latency(self) -> tuple[float, float] | None:
        seconds = [answer.seconds for answer in self._answers]
        self._answers.clear()
        if not seconds:
            return None
        cuts = statistics.quantiles([*seconds, seconds[-1]], n=20, method="inclusive")
        return cuts[9] * 1000, cuts[18] * 1000
