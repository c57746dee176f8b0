"""The hub of a web worker: one look at the stores for all live streams, however many listen.

A stream gets whole states, read from where the truth is, and no messages that could be lost. So it
needs no connection to a store of its own, and who comes back needs nothing of what they missed.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from flashsale.chunks import chunks
from flashsale.domain.model import split_order_id
from flashsale.errors import ServiceUnavailable
from flashsale.http.schemas import OrderStateBody
from flashsale.services import Services
from flashsale.usecases import room_looks
from flashsale_server.edge.background import cancel
from flashsale_server.edge.hang_up import hang_up
from flashsale_server.edge.listeners import NEWER, RESTART, Listener
from flashsale_server.edge.stream_metrics import ORDER, REFUSED, SALE, TICKS
from flashsale_server.edge.topics import OrderTopic, SaleTopic, Topic

# Streams of a worker, and of one address in it: offices and mobile networks share one.
MOST, MOST_OF_ADDRESS = 4000, 100
# Seconds between two looks at sales, and at orders.
SALES_EACH, ORDERS_EACH = 1.0, 0.5
# Looks at orders for one, if all of them are RESERVED: buyers take minutes to pay.
RESERVED_SKIP = 4
# Orders after which requests of the worker have their turn: thousands take a tenth of a second.
AT_A_TIME = 50
# Seconds between two looks at the time of each stream.
CHECK_EACH = 0.5
# Seconds that clients have to read the last event when the worker stops.
STOP_TIME = 2.0

logger = logging.getLogger(__name__)


class Hub:
    """All live streams of this process.

    It reads nothing while nobody listens. An error of a store ends no stream.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listeners: set[Listener] = set()
        self._addresses: Counter[str] = Counter()
        self._newest: dict[Hashable, Listener] = {}
        self._sales: dict[Hashable, SaleTopic] = {}
        self._orders: dict[Hashable, OrderTopic] = {}
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._listened = asyncio.Event()
        self._stopped = False
        self._skipped = 0
        loops = (
            self._each(SALES_EACH, self._look_at_sales),
            self._each(ORDERS_EACH, self._look_at_orders),
            self._each(CHECK_EACH, self._check),
        )
        self._tasks: list[asyncio.Task[Any]] = [asyncio.create_task(one) for one in loops]

    def enter(
        self, kind: str, address: str, peer: tuple[str, str], until: float
    ) -> Listener | None:
        """Return a new listener, which must `leave`; None if there are too many."""
        if len(self._listeners) >= MOST:
            REFUSED.labels("worker").inc()
            return None
        if address and self._addresses[address] >= MOST_OF_ADDRESS:
            REFUSED.labels("address").inc()
            return None
        listener = Listener(kind, address, peer, until)
        self._listeners.add(listener)
        self._addresses[address] += 1
        self._listened.set()
        if self._stopped:
            listener.end(RESTART)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener, and what nobody follows any more."""
        self._listeners.discard(listener)
        self._addresses[listener.address] -= 1
        if not self._addresses[listener.address]:
            del self._addresses[listener.address]
        if self._newest.get(listener.key) is listener:
            del self._newest[listener.key]
        for topic in listener.topics:
            topic.listeners.discard(listener)
            if not topic.listeners:
                self._topics_of(topic).pop(topic.key, None)
        if not self._listeners:
            self._listened.clear()

    async def follow_sale(self, listener: Listener, product_id: str) -> bool:
        """Let it listen to a sale of V5; return False if there is none.

        Raises:
            StockUnavailable: nothing is known of the product, and Redis does not answer.

        """
        opening = self._opening.setdefault(product_id, asyncio.Lock())
        async with opening:  # of all who come at once, one reads
            topic = self._sales.get(product_id) or SaleTopic(product_id)
            if not topic.version and not await self._read_sale(topic):
                return False
            self._sales[product_id] = topic
            listener.follow(topic)
        return True

    async def follow_order(
        self, listener: Listener, state: OrderStateBody, owner: str | None
    ) -> None:
        """Let it listen to an order, and to the sale of its product.

        Args:
            state: as it is now.
            owner: who may see it; None for everybody.

        """
        topic = OrderTopic(state, owner)
        topic = self._orders.setdefault(topic.key, topic)
        listener.follow(topic)
        if not topic.final:
            await self.follow_sale(listener, split_order_id(state.order_id)[0])

    def _topics_of(self, topic: Topic) -> dict[Hashable, Any]:
        return self._sales if topic.kind == SALE else self._orders

    def replace(self, listener: Listener, key: Hashable) -> None:
        """End the stream that had this key, because its user has opened a newer one."""
        if older := self._newest.get(key):
            older.end(NEWER)
        self._newest[key] = listener
        listener.key = key

    def stop(self) -> None:
        """End all streams. Their clients come back to another worker."""
        if not self._stopped:
            self._stopped = True
            for listener in self._listeners:
                listener.end(RESTART)
            self._tasks.append(asyncio.create_task(self._hang_up_late()))

    async def close(self) -> None:
        """End what runs here."""
        for task in self._tasks:
            await cancel(task)

    async def _each(self, seconds: float, look: Callable[[], Awaitable[None]]) -> NoReturn:
        loop, took = asyncio.get_running_loop(), 0.0
        while True:
            await self._listened.wait()
            await asyncio.sleep(max(seconds - took, seconds / 10))
            began = loop.time()
            try:
                await look()
            except Exception:  # nothing restarts this loop
                logger.exception("a look for the live streams failed")
            took = loop.time() - began

    async def _look_at_sales(self) -> None:
        with TICKS.labels(SALE).time():
            await asyncio.gather(*(self._look_at_sale(one) for one in self._sales.values()))

    async def _look_at_sale(self, topic: SaleTopic) -> None:
        try:
            await self._read_sale(topic)
        except ServiceUnavailable:
            topic.fail()
        await topic.tell()

    async def _read_sale(self, topic: SaleTopic) -> bool:
        copy = await room_looks.look(self._services, topic.product_id)
        snapshot = await self._services.ledger.snapshot(topic.product_id, count_claims=False)
        return topic.show(copy, snapshot)

    async def _look_at_orders(self) -> None:
        watched = [topic for topic in self._orders.values() if not topic.final]
        self._skipped += 1
        is_due = self._skipped >= RESERVED_SKIP or any(one.status == "PENDING" for one in watched)
        if not watched or not is_due:
            return
        self._skipped = 0
        with TICKS.labels(ORDER).time():
            try:
                rows = await self._services.orders.get_all([one.order_id for one in watched])
            except ServiceUnavailable:
                for topic in watched:
                    topic.fail()
            else:
                by_id = {row.id: row for row in rows}
                for some in chunks(watched, AT_A_TIME):
                    for topic in some:
                        topic.show(by_id.get(topic.order_id))
                    await asyncio.sleep(0)
        for some in chunks(watched, AT_A_TIME):
            for topic in some:
                await topic.tell()
            await asyncio.sleep(0)

    async def _check(self) -> None:
        now = asyncio.get_running_loop().time()
        hang_up({one.peer for one in self._listeners if not one.check(now)})

    async def _hang_up_late(self) -> None:
        await asyncio.sleep(STOP_TIME)
        hang_up({listener.peer for listener in self._listeners})
