"""The demo: the same small sale through each generation, over the deployed HTTP API."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flashsale.domain.model import Terms
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from flashsale_local.sale.load import Answer, buy_all
from flashsale_local.sale.seed import seed, user_ids
from flashsale_server.queues.depths import depths

UNITS = 100
ATTEMPTS = 300
CONNECTIONS = 16
DRAIN_DEADLINE = 60.0
# Generation and edge of each sale.
SHOPS = ((1, "lambda"), (2, "lambda"), (3, "lambda"), (4, "lambda"), (5, "lambda"), (5, "asgi"))


@dataclass(frozen=True)
class Sale:
    """The result of one sale, after its last order was written.

    Attributes:
        selling: seconds from the first request to the last answer.
        settling: seconds from the first request to the last order in PostgreSQL.

    """

    generation: int
    edge: str
    answers: Sequence[Answer]
    books: Books
    selling: float
    settling: float

    @property
    def name(self) -> str:
        """The name in tables and findings."""
        return f"V{self.generation}" + (" asgi" if self.edge == "asgi" else "")

    def count(self, kind: AnswerKind) -> int:
        """Return how many attempts got this kind of answer."""
        return sum(answer.kind is kind for answer in self.answers)

    @property
    def errors(self) -> list[Answer]:
        """Attempts whose answer was neither "accepted" nor "sold out"."""
        fine = (AnswerKind.ACCEPTED, AnswerKind.SOLD_OUT)
        return [answer for answer in self.answers if answer.kind not in fine]

    def latency_ms(self, percent: int) -> float:
        """Return a percentile of the latencies, in milliseconds."""
        seconds = [answer.seconds for answer in self.answers]
        return statistics.quantiles(seconds, n=100)[percent - 1] * 1000


async def hold(
    target: Target,
    services: Services,
    generation: int,
    edge: str,
    run: str,
    report: Callable[[Answer], None],
) -> Sale:
    """Hold one sale, and wait until its orders are written."""
    product_id = f"demo-{run}-v{generation}-{edge}"
    users = user_ids(ATTEMPTS)
    await seed(services, users, [product_id], UNITS)
    await services.stock.open_sale(product_id, UNITS, Terms(generation=generation))
    started = time.monotonic()
    answers = await buy_all(target.edges[edge], generation, product_id, users, CONNECTIONS, report)
    selling = time.monotonic() - started
    accepted = sum(answer.kind is AnswerKind.ACCEPTED for answer in answers)
    books = await await_orders(target, services, product_id, accepted)
    return Sale(generation, edge, answers, books, selling, time.monotonic() - started)


def all_written(books: Books, accepted: int) -> bool:
    """Return whether all accepted orders are in PostgreSQL, whatever became of them."""
    return books.written >= accepted and not books.unsettled


async def await_orders(target: Target, services: Services, product_id: str, accepted: int) -> Books:
    """Wait until so many accepted orders are written, and return the books.

    Raises:
        Problem: some were not written in time.

    """
    end = time.monotonic() + DRAIN_DEADLINE
    while True:
        (books,) = await read_books(services, [product_id])
        if all_written(books, accepted):
            return books
        if time.monotonic() > end:
            waiting = {name: d.total for name, d in depths(target.queues).items() if d.total}
            raise Problem(
                f"{accepted - books.written} accepted orders of {product_id} "
                f"were not written within {DRAIN_DEADLINE:.0f} s; messages waiting: {waiting}",
                "See `flashsale logs order` and `flashsale dlq ls`.",
            )
        await asyncio.sleep(0.05)


def findings(sales: Sequence[Sale]) -> list[str]:
    """Return what is not as expected: V1 must oversell, and V2, V4 and V5 must keep their books."""
    found = []
    for sale in sales:
        if sale.generation == 1 and not sale.books.oversold:
            found.append("V1 did not oversell: its race did not happen on this machine.")
        if sale.books.broken:
            found.append(f"{sale.name} broke its books: {sale.books}")
        if sale.errors:
            first = sale.errors[0].detail
            found.append(f"{sale.name}: {len(sale.errors)} errors, the first: {first}")
    return found
