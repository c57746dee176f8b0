"""The server of `make bench-rates` and `bench-rooms`: the ASGI edge with an echo route."""

import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from flashsale.usecases.books import Books, read_books
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.queues.drain import drain
from flashsale_local.sale.answers import CLEAR, AnswerKind
from flashsale_local.sale.demo import await_orders
from flashsale_local.stack import edge
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.program import HOST
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from loadtest.on_sale import purchases, put_on_sale
from loadtest.samples import Load

BENCH_PORT = 8010
# Seconds until the queues must be empty after a run.
DRAIN_DEADLINE = 300.0

# A load client: it sends bodies to a path of an endpoint.
Buyers = Callable[[Endpoint, str, Iterator[str]], Awaitable[Load]]


@dataclass(frozen=True, slots=True)
class Sold:
    """One run of buyers of a generation.

    Attributes:
        written: seconds from the first purchase until every accepted order was written.
        calls: calls that carried its orders to SQS.

    """

    load: Load
    books: Books
    written: float
    calls: float

    @property
    def accepted(self) -> int:
        """The purchases that were accepted."""
        return self.load.count(AnswerKind.ACCEPTED)

    @property
    def failed(self) -> int:
        """The attempts that were not made, or whose answer was neither "sold" nor "sold out"."""
        return len(self.load.samples) + self.load.dropped - sum(map(self.load.count, CLEAR))


@dataclass(frozen=True, slots=True)
class Bench:
    """The server under load: the application of the ASGI edge, and an echo route beside it."""

    target: Target
    url: str
    relay_metrics: str

    def echo(self, buyers: Buyers) -> Load:
        """Send these buyers to the echo route."""
        return _run(buyers(Endpoint(self.url), "/echo", purchases("echo")))

    def poll(self, product_id: str, pollers: Buyers) -> Load:
        """Send these clients to the document of a waiting room."""
        path = f"/api/v5/rooms/{product_id}"
        return _run(pollers(Endpoint(self.url), path, itertools.repeat("")))

    def sell(self, generation: int, buyers: Buyers) -> Sold:
        """Send these buyers to a new sale, and wait until their orders are written."""
        product_id = put_on_sale(self.target, f"rates-v{generation}")
        before, began = self._calls(), time.monotonic()
        path = f"/api/v{generation}/buy"
        load = _run(buyers(Endpoint(self.url), path, purchases(product_id)))
        accepted = load.count(AnswerKind.ACCEPTED)
        with_services(
            self.target,
            lambda services: await_orders(self.target, services, product_id, accepted),
        )
        written = time.monotonic() - began
        # Orders whose buyers got no answer are written as well, or given back.
        drain(self.target.queues, DRAIN_DEADLINE)
        (books,) = with_services(self.target, lambda services: read_books(services, [product_id]))
        return Sold(load, books, written, self._calls() - before)

    def refuse(self, generation: int, buyers: Buyers) -> Load:
        """Send these buyers to a product of which no unit is left."""
        bodies = purchases(put_on_sale(self.target, f"sold-out-v{generation}", 0))
        return _run(buyers(Endpoint(self.url), f"/api/v{generation}/buy", bodies))

    def _calls(self) -> float:
        pages = (httpx.get(url, timeout=10) for url in (f"{self.url}/metrics", self.relay_metrics))
        return sum(
            sample.value
            for page in pages
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
            if sample.name == "flashsale_sqs_calls_total"
        )


@contextmanager
def bench_server() -> Iterator[Bench]:
    """Start the same server as the ASGI edge, with an echo route."""
    stack, target = Stack(LOCAL), start_asgi_edge(start(as_processes=True))
    web = edge.web(LOCAL, BENCH_PORT, target)
    program = replace(web, name="bench", command=[*web.command, "loadtest.echo:app"])
    stack.add(program)
    try:
        yield Bench(target, web.url, f"http://{HOST}:{stack.relay_port}/metrics")
    finally:
        stack.supervisor.stop_program(program.name)


def _run(running: Awaitable[Load]) -> Load:
    async def run() -> Load:
        return await running

    return uvloop.run(run())
