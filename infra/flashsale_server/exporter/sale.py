"""Where the units of each product are: the books of `flashsale verify` as metrics."""

import asyncio
import time
from collections.abc import Callable, Sequence

from prometheus_client import Metric

from flashsale.domain.claims import Snapshot
from flashsale.domain.model import ON_POSTGRES
from flashsale.domain.waiting import ANYTHING
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale_server.exporter.backoff import Rest
from flashsale_server.exporter.families import counter, gauge
from flashsale_server.exporter.queues import Queues

UNITS = {
    "stock": "Units left to sell, by the store that counts them",
    "unsettled": "Units that were claimed and wait for their order",
    "parked": "Units of V4 whose order is parked, and waits for a person",
    "settled": "Units of V5 whose order is confirmed and whose claim is closed",
    "released": "Units of V5 that were given back",
}


class Sale:
    """Reads the claims of all products from Redis, and their books from both stores."""

    def __init__(
        self, services: Services, queues: Queues, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._queues = queues
        self._rest = Rest(clock)
        self._told: list[Books] | None = None

    async def read_claims(self) -> list[Metric]:
        """What Redis alone knows, at this moment, in a time that does not grow with the claims."""
        ledger, ages, snapshots = self._services.ledger, [], {}
        for id_ in await self._services.stock.sales():
            ages.append(((id_,), await ledger.oldest_age(id_)))
            snapshot = await ledger.glance(id_)
            if snapshot and snapshot.generation not in ON_POSTGRES:
                snapshots[id_] = snapshot
        text = "Age of the oldest claim of V5 that is neither settled nor released; 0 without any"
        age = gauge("oldest_claim_age_seconds", text, ages, "product")
        return [age, *_of_snapshots(snapshots)]

    async def read_books(self) -> list[Metric]:
        """The books, or while PostgreSQL rests from the last look what that saw.

        Raises:
            ServiceUnavailable: a store is down; old books would look like these.
            TimeoutError: the last look took too long, and saw nothing.

        """
        if self._rest.is_over:
            self._told = None
            self._told = await self._books()
        if self._told is None:
            raise TimeoutError("the last look failed, and PostgreSQL rests from it")
        return _of_books(self._told)

    async def _books(self) -> list[Books]:
        before = await asyncio.to_thread(self._queues.waiting)
        with self._rest.after():
            books = await read_books(self._services, waiting=before)
        if before is ANYTHING or all(row.imbalance == 0 for row in books):
            return books
        # What a buyer pushed in between was not seen: then rather count it twice than as lost.
        waiting = (await asyncio.to_thread(self._queues.waiting)).or_earlier(before)
        return [row.expecting(waiting) for row in books]


def _of_books(books: Sequence[Books]) -> list[Metric]:
    def each(figure: Callable[[Books], int]) -> list[tuple[tuple[str], int]]:
        return [((row.product_id,), figure(row)) for row in books]

    in_redis = [
        ((row.product_id, "redis"), row.redis_stock) for row in books if row.redis_stock is not None
    ]
    in_postgres = [((row.product_id, "postgresql"), row.postgres_stock) for row in books]
    generations = [
        ((row.product_id, str(generation)), 1) for row in books for generation in row.generations
    ]
    ledgers = {row.product_id: row.ledger for row in books if row.ledger}
    text = "Which generation's orders a product has"
    return [
        gauge("product_info", text, generations, "product", "generation"),
        gauge("initial_units", "Units that were to be sold", each(lambda b: b.initial), "product"),
        gauge("stock_units", UNITS["stock"], in_redis + in_postgres, "product", "store"),
        gauge("unsettled_units", UNITS["unsettled"], each(lambda b: b.unsettled), "product"),
        gauge("parked_units", UNITS["parked"], each(lambda b: b.parked), "product"),
        # No counter, as "settled" is none: an order that is cancelled later takes its units back.
        gauge(
            "confirmed_units", "Units of CONFIRMED orders", each(lambda b: b.confirmed), "product"
        ),
        counter(
            "cancelled_units", "Units of CANCELLED orders", each(lambda b: b.cancelled), "product"
        ),
        *_of_ledgers(ledgers),
        gauge(
            "oversold_units", "Confirmed units beyond the initial stock",
            each(lambda b: b.oversold), "product",
        ),
        gauge(
            "lost_units", "Units that are neither in stock, nor claimed, nor confirmed",
            each(lambda b: b.lost), "product",
        ),
        gauge(
            "imbalance_units", "Units that are nowhere (above 0), or in two places (below 0)",
            each(lambda b: b.imbalance), "product",
        ),
        gauge(
            "books_broken", "1 where a generation broke the invariant that it promises to keep",
            each(lambda b: b.broken), "product",
        ),
    ]  # fmt: skip


def _of_snapshots(snapshots: dict[str, Snapshot]) -> list[Metric]:
    stock = [((id_, "redis"), s.stock) for id_, s in snapshots.items()]
    # Each sale has a ledger, but that of V3 and V4 is empty whatever is on its way.
    ledgers = {id_: snapshot for id_, snapshot in snapshots.items() if snapshot.accepted}
    unsettled = [((id_,), ledger.unsettled) for id_, ledger in ledgers.items()]
    return [
        gauge("stock_units", UNITS["stock"], stock, "product", "store"),
        gauge("unsettled_units", UNITS["unsettled"], unsettled, "product"),
        *_of_ledgers(ledgers),
    ]


def _of_ledgers(ledgers: dict[str, Snapshot]) -> list[Metric]:
    settled = [((id_,), ledger.settled) for id_, ledger in ledgers.items()]
    released = [((id_,), ledger.released) for id_, ledger in ledgers.items()]
    return [
        gauge("settled_units", UNITS["settled"], settled, "product"),
        counter("released_units", UNITS["released"], released, "product"),
    ]
