"""Where the units of each product are: the books of `flashsale verify` as metrics."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from prometheus_client import Metric

from flashsale.books import Books, read_books
from flashsale.bootstrap import Services
from flashsale.claims import Snapshot
from flashsale.errors import DatabaseUnavailable
from infra.exporter.families import counter, gauge
from infra.exporter.queues import Queues

UNITS = {
    "stock": "Units left to sell, by the store that counts them",
    "settled": "Units of V5 whose order is confirmed and whose claim is closed",
    "released": "Units of V5 that were given back",
}


class Sale:
    """Reads the books of all products, which takes a script in Redis for each and one statement."""

    def __init__(self, services: Services, queues: Queues) -> None:
        self._services = services
        self._queues = queues

    async def read(self) -> list[Metric]:
        """What can be known: without PostgreSQL, only what is in Redis."""
        ages = await self._ages()
        try:
            return [ages, *_of_books(await self._books())]
        except DatabaseUnavailable:
            return [ages, *_of_snapshots(await self._snapshots())]

    async def _books(self) -> list[Books]:
        before = await self._waiting()
        books = await read_books(self._services, waiting=before)
        if all(row.imbalance == 0 for row in books):
            return books
        # What a buyer pushed in between was not seen: then rather count it twice than as lost.
        waiting = before + await self._waiting()
        return [replace(row, waiting=waiting) for row in books]

    async def _waiting(self) -> int:
        """Messages in all queues. While SQS does not say, any unit may be in one: none is lost."""
        depths = await asyncio.to_thread(self._queues.depths_if_known)
        return sys.maxsize if depths is None else sum(d.total for d in depths.values())

    async def _ages(self) -> Metric:
        ages = [
            ((id_,), await self._services.ledger.oldest_age(id_))
            for id_ in await self._services.stock.sales()
        ]
        text = "Age of the oldest claim of V5 that is neither settled nor released; 0 without any"
        return gauge("oldest_claim_age_seconds", text, ages, "product")

    async def _snapshots(self) -> dict[str, Snapshot]:
        found = {
            id_: await self._services.ledger.snapshot(id_)
            for id_ in await self._services.stock.sales()
        }
        return {id_: snapshot for id_, snapshot in found.items() if snapshot}


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
        gauge(
            "unsettled_units", "Units that were claimed and wait for their order",
            each(lambda b: b.unsettled), "product",
        ),
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
    unsettled = [((id_,), s.unsettled) for id_, s in snapshots.items()]
    return [
        gauge("stock_units", UNITS["stock"], stock, "product", "store"),
        gauge("unsettled_units", "Units of V5 that wait for their order", unsettled, "product"),
        *_of_ledgers(snapshots),
    ]


def _of_ledgers(ledgers: dict[str, Snapshot]) -> list[Metric]:
    settled = [((id_,), ledger.settled) for id_, ledger in ledgers.items()]
    released = [((id_,), ledger.released) for id_, ledger in ledgers.items()]
    return [
        gauge("settled_units", UNITS["settled"], settled, "product"),
        counter("released_units", UNITS["released"], released, "product"),
    ]
