"""Metrics of the units of each product: the books of `flashsale verify`."""

import asyncio
import time
from collections.abc import Callable, Sequence

from prometheus_client import Metric

from flashsale.domain.claims import Snapshot
from flashsale.domain.hold_figures import HoldFigures
from flashsale.domain.model import ON_POSTGRES
from flashsale.domain.waiting import ANYTHING
from flashsale.services import Services
from flashsale.usecases.books import Books, read_books
from flashsale.usecases.hold_figures import read_hold_figures
from flashsale.usecases.rooms import measure_rooms
from flashsale_server.exporter.backoff import Backoff
from flashsale_server.exporter.families import counter, gauge
from flashsale_server.exporter.holds import of_holds
from flashsale_server.exporter.queues import Queues
from flashsale_server.exporter.rooms import of_rooms

UNITS = {
    "stock": "Units left to sell, by the store that counts them",
    "unsettled": "Units that are claimed and wait for their order",
    "parked": "Units of V4 whose order is in the parking queue",
    "held": "Units of V5 whose order is written and not paid yet, as Redis counts them",
    "settled": "Units of V5 whose order is confirmed and whose claim is closed",
    "released": "Units of V5 that were given back",
}


class Sale:
    """Reads the claims and rooms of all products from Redis, and their books from both stores."""

    def __init__(
        self, services: Services, queues: Queues, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._queues = queues
        self._backoff = Backoff(clock)
        self._last: tuple[list[Books], HoldFigures] | None = None

    async def read_claims(self) -> list[Metric]:
        """Return what Redis alone knows now, in a time that does not grow with the claims."""
        ledger, ages, snapshots = self._services.ledger, [], {}
        on_sale = await self._services.stock.list_sales()
        for id_ in on_sale:
            ages.append(((id_,), await ledger.oldest_age(id_)))
            snapshot = await ledger.snapshot(id_, count_claims=False)
            if snapshot and snapshot.generation not in ON_POSTGRES:
                snapshots[id_] = snapshot
        text = "Age of the oldest claim of V5 that is neither settled nor released; 0 without any"
        age = gauge("oldest_claim_age_seconds", text, ages, "product")
        rooms = await measure_rooms(self._services, on_sale)
        return [age, *_of_snapshots(snapshots), *of_rooms(rooms)]

    async def read_books(self) -> list[Metric]:
        """Return the books and the figures of payment holds.

        They are those of the last read until the next one is due (see `Backoff`).

        Raises:
            ServiceUnavailable: a store is down; old books would look like current ones.
            TimeoutError: the last read failed, and the next one is not due yet.

        """
        if self._backoff.is_over:
            self._last = None
            self._last = await self._read()
        if self._last is None:
            raise TimeoutError("the last read of the books failed, and the next one is not due yet")
        books, holds = self._last
        return [*_of_books(books), *of_holds(holds)]

    async def _read(self) -> tuple[list[Books], HoldFigures]:
        before = await asyncio.to_thread(self._queues.waiting)
        with self._backoff.after():
            books = await read_books(self._services, waiting=before)
            on_sale = await self._services.stock.list_sales()
            holds = await read_hold_figures(self._services, on_sale)
        if before is ANYTHING or all(row.imbalance == 0 for row in books):
            return books, holds
        # A message that was pushed in between was not seen. Better count it twice than as lost.
        waiting = (await asyncio.to_thread(self._queues.waiting)).or_earlier(before)
        return [row.expecting(waiting) for row in books], holds


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
    text = "1 for each generation of which a product has orders"
    return [
        gauge("product_info", text, generations, "product", "generation"),
        gauge("initial_units", "Units for sale in all", each(lambda b: b.initial), "product"),
        gauge("stock_units", UNITS["stock"], in_redis + in_postgres, "product", "store"),
        gauge("unsettled_units", UNITS["unsettled"], each(lambda b: b.unsettled), "product"),
        gauge("parked_units", UNITS["parked"], each(lambda b: b.parked), "product"),
        # A gauge, as is "settled": an order that is cancelled later takes its units back.
        gauge(
            "confirmed_units", "Units of CONFIRMED orders", each(lambda b: b.confirmed), "product"
        ),
        gauge("reserved_units", "Units of RESERVED orders", each(lambda b: b.reserved), "product"),
        counter(
            "cancelled_units", "Units of CANCELLED orders", each(lambda b: b.cancelled), "product"
        ),
        counter("expired_units", "Units of EXPIRED orders", each(lambda b: b.expired), "product"),
        *_of_ledgers(ledgers),
        gauge(
            "oversold_units", "Confirmed units beyond the initial stock",
            each(lambda b: b.oversold), "product",
        ),
        gauge(
            "lost_units", "Units that are neither in stock, nor claimed, nor in an order",
            each(lambda b: b.lost), "product",
        ),
        gauge(
            "imbalance_units", "Units that are nowhere (above 0) or in two places (below 0)",
            each(lambda b: b.imbalance), "product",
        ),
        gauge(
            "books_broken", "1 where a generation broke an invariant that it promises to keep",
            each(lambda b: b.broken), "product",
        ),
    ]  # fmt: skip


def _of_snapshots(snapshots: dict[str, Snapshot]) -> list[Metric]:
    stock = [((id_, "redis"), s.stock) for id_, s in snapshots.items()]
    # Every sale has a ledger, but in V3 and V4 it stays empty.
    ledgers = {id_: snapshot for id_, snapshot in snapshots.items() if snapshot.accepted}
    unsettled = [((id_,), ledger.unsettled) for id_, ledger in ledgers.items()]
    return [
        gauge("stock_units", UNITS["stock"], stock, "product", "store"),
        gauge("unsettled_units", UNITS["unsettled"], unsettled, "product"),
        *_of_ledgers(ledgers),
    ]


def _of_ledgers(ledgers: dict[str, Snapshot]) -> list[Metric]:
    held = [((id_,), ledger.held) for id_, ledger in ledgers.items()]
    settled = [((id_,), ledger.settled) for id_, ledger in ledgers.items()]
    released = [((id_,), ledger.released) for id_, ledger in ledgers.items()]
    return [
        gauge("held_units", UNITS["held"], held, "product"),
        gauge("settled_units", UNITS["settled"], settled, "product"),
        counter("released_units", UNITS["released"], released, "product"),
    ]
