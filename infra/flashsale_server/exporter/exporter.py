"""One scrape: all sources are asked at the same time, and none makes the others fail."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.registry import Collector

from flashsale.services import Services
from flashsale.usecases.health import ask_stores
from flashsale_local.deployment.target import Target
from flashsale_server.exporter.families import gauge, merged
from flashsale_server.exporter.functions import Functions
from flashsale_server.exporter.queues import Queues
from flashsale_server.exporter.sale import Sale
from flashsale_server.exporter.stores import read_postgres, read_redis

# Seconds; less than a scrape may take (Prometheus' scrape_timeout).
DEADLINE = 4.0
STORES = "redis", "postgresql"

Source = Callable[[], Awaitable[list[Metric]]]

logger = logging.getLogger(__name__)


def sources_of(
    target: Target, services: Services, queues: Queues | None = None
) -> dict[str, Source]:
    """What is asked on each scrape, by the service that answers.

    Where two show the same series, that of the first counts: claims are of this moment, and the
    books may be older.
    """
    queues = queues or Queues(target)
    sale = Sale(services, queues)
    return {
        "redis": lambda: read_redis(services),
        "postgresql": lambda: read_postgres(services),
        "sqs": InThread(queues.read),
        "logs": InThread(Functions(target).read),
        "claims": sale.read_claims,
        "books": sale.read_books,
    }


class InThread:
    """A source that blocks. No deadline ends a thread: who asks meanwhile waits for its answer."""

    def __init__(self, read: Callable[[], list[Metric]]) -> None:
        self._read = read
        self._reading: asyncio.Future[list[Metric]] | None = None

    async def __call__(self) -> list[Metric]:
        """What the thread read; it is never in `read` twice at a time."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read))
        return await asyncio.shield(self._reading)


class Exporter(Collector):
    """Asks the sources, on the event loop that `run` was started with.

    With `services`, a store is up only if it passes the check of /health, too.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        loop: asyncio.AbstractEventLoop,
        services: Services | None = None,
    ) -> None:
        self._sources = sources
        self._loop = loop
        self._services = services
        self._scrape: asyncio.Task[list[Metric]] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: to register it is not to scrape."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Called by the HTTP server, in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(self.scrape(), self._loop).result()

    async def scrape(self) -> list[Metric]:
        """Everything that could be read, which services answered, and what it took.

        Who asks while a scrape runs gets that one: nobody waits longer than the deadline.
        """
        if self._scrape is None or self._scrape.done():
            self._scrape = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._scrape)

    async def _ask_all(self) -> list[Metric]:
        asked = [self._ask(name, source) for name, source in self._sources.items()]
        well, answers = await asyncio.gather(self._check(), asyncio.gather(*asked))
        up = [((name,), answer is not None and well.get(name, True)) for name, answer, _ in answers]
        took = [((name,), seconds) for name, _, seconds in answers]
        return [
            gauge("up", "1 where a service answered this scrape", up, "service"),
            gauge("exporter_read_seconds", "What reading it took", took, "service"),
            *merged(metric for _, answer, _ in answers for metric in answer or ()),
        ]

    async def _check(self) -> Mapping[str, bool]:
        # The queue is not among them: its address comes with the deployment, see `Queues`.
        return await ask_stores(self._services, STORES) if self._services else {}

    async def _ask(self, name: str, source: Source) -> tuple[str, list[Metric] | None, float]:
        started = time.perf_counter()
        answer: list[Metric] | None = None
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await source()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the others are scraped
            logger.warning("%s: %s: %s", name, type(error).__name__, error)
        return name, answer, time.perf_counter() - started
