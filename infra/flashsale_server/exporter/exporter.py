"""One scrape: all sources are read concurrently, and a source that fails affects no other."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.registry import Collector

from flashsale.services import Services
from flashsale.usecases.health import ask_stores
from flashsale_server.exporter.families import gauge, merged
from flashsale_server.exporter.functions import Functions
from flashsale_server.exporter.queues import Queues
from flashsale_server.exporter.sale import Sale
from flashsale_server.exporter.settings import ExporterSettings
from flashsale_server.exporter.stores import read_postgres, read_redis

# Seconds; less than a scrape may take (Prometheus' scrape_timeout).
DEADLINE = 4.0
STORES = "redis", "postgresql"

# Reads metrics of one service.
Source = Callable[[], Awaitable[list[Metric]]]

logger = logging.getLogger(__name__)


def sources_of(
    settings: ExporterSettings, services: Services, queues: Queues | None = None
) -> dict[str, Source]:
    """Return what is read on each scrape, by the service that answers.

    Where two sources have the same series, the first one counts: claims are current, and the books
    may be older.
    """
    queues = queues or Queues(settings)
    sale = Sale(services, queues)
    return {
        "redis": lambda: read_redis(services),
        "postgresql": lambda: read_postgres(services),
        "sqs": InThread(queues.read),
        "logs": InThread(Functions(settings.log_groups).read),
        "claims": sale.read_claims,
        "books": sale.read_books,
    }


class InThread:
    """A source that blocks, read in a thread.

    No deadline ends a thread. A scrape that comes before the thread has ended waits for its answer.
    """

    def __init__(self, read: Callable[[], list[Metric]]) -> None:
        self._read = read
        self._reading: asyncio.Future[list[Metric]] | None = None

    async def __call__(self) -> list[Metric]:
        """Return what the thread read; at most one thread at a time is in `read`."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read))
        return await asyncio.shield(self._reading)


class Exporter(Collector):
    """Reads the sources on an event loop.

    Args:
        loop: the event loop that runs in another thread.
        services: if given, a store is up only if it also passes the check of /health.

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
        """Return nothing: to register the collector must not scrape."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Scrape on the event loop; the HTTP server calls this in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(self.scrape(), self._loop).result()

    async def scrape(self) -> list[Metric]:
        """Return all metrics that could be read, which services answered, and how long it took.

        A caller that comes while a scrape runs gets the result of that scrape. So no caller waits
        longer than the deadline.
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
            gauge("exporter_read_seconds", "Time to read a service", took, "service"),
            *merged(metric for _, answer, _ in answers for metric in answer or ()),
        ]

    async def _check(self) -> Mapping[str, bool]:
        # Without the queue: reading its depths is a check.
        return await ask_stores(self._services, STORES) if self._services else {}

    async def _ask(self, name: str, source: Source) -> tuple[str, list[Metric] | None, float]:
        started = time.perf_counter()
        answer: list[Metric] | None = None
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await source()
        except Exception as error:  # noqa: BLE001 - the other sources are read all the same
            logger.warning("%s: %s: %s", name, type(error).__name__, error)
        return name, answer, time.perf_counter() - started
