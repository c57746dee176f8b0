"""One scrape: all sources are asked at the same time, and none makes the others fail."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.registry import Collector

from flashsale.bootstrap import Services
from infra.exporter.families import gauge
from infra.exporter.functions import Functions
from infra.exporter.queues import Queues
from infra.exporter.sale import Sale
from infra.exporter.stores import read_postgres, read_redis
from infra.target import Target

# Seconds; less than a scrape may take (Prometheus' scrape_timeout).
DEADLINE = 4.0
# A source that takes long rests this many times as long.
REST = 20

Source = Callable[[], Awaitable[list[Metric]]]

logger = logging.getLogger(__name__)


def sources_of(
    target: Target, services: Services, queues: Queues | None = None
) -> dict[str, Source]:
    """What is asked on each scrape, by the service that answers."""
    queues, functions = queues or Queues(target), Functions(target)
    return {
        "redis": lambda: read_redis(services),
        "postgresql": lambda: read_postgres(services),
        "sqs": lambda: asyncio.to_thread(queues.read),
        "logs": lambda: asyncio.to_thread(functions.read),
        "books": Resting(Sale(services, queues).read),
    }


class Resting:
    """A source that rests `REST` times as long as it worked, and tells meanwhile what it told last.

    The books take PostgreSQL some 80 ms for 100,000 orders: so they never take it 5 % of its time.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._told: list[Metric] = []
        self._until = -math.inf

    async def __call__(self) -> list[Metric]:
        """The source's answer, or its last one."""
        if (started := self._clock()) >= self._until:
            self._told = await self._source()
            self._until = started + REST * (self._clock() - started)
        return self._told


class Exporter(Collector):
    """Asks the sources, on the event loop that `run` was started with."""

    def __init__(self, sources: Mapping[str, Source], loop: asyncio.AbstractEventLoop) -> None:
        self._sources = sources
        self._loop = loop
        self._one_at_a_time = asyncio.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: to register it is not to scrape."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Called by the HTTP server, in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(self.scrape(), self._loop).result()

    async def scrape(self) -> list[Metric]:
        """Everything that could be read, which services answered, and what it took."""
        async with self._one_at_a_time:
            asked = [self._ask(name, source) for name, source in self._sources.items()]
            answers = await asyncio.gather(*asked)
        up = [((name,), answer is not None) for name, answer, _ in answers]
        took = [((name,), seconds) for name, _, seconds in answers]
        return [
            gauge("up", "1 where a service answered this scrape", up, "service"),
            gauge("exporter_read_seconds", "What reading it took", took, "service"),
            *(metric for _, answer, _ in answers for metric in answer or ()),
        ]

    async def _ask(self, name: str, source: Source) -> tuple[str, list[Metric] | None, float]:
        started = time.perf_counter()
        answer: list[Metric] | None = None
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await source()
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the others are scraped
            logger.warning("%s: %s: %s", name, type(error).__name__, error)
        return name, answer, time.perf_counter() - started
