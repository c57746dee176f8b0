"""The newest copy of each room's public state in this process, so that a poll costs Redis nothing.

There is no Redis in it. At most one read of a room is under way in a process, and one begins a
second at most, however many clients ask.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from flashsale import clocks
from flashsale.domain.rooms import RoomView
from flashsale.errors import StockUnavailable

# Seconds for which a copy is the answer, without a look at Redis.
FRESH = 1.0
# Seconds for which a copy is still shown while Redis does not answer.
STALE = 60.0
# Products that are remembered, also those without a room. Few products have one at a time.
MOST = 1000

Read = Callable[[], Awaitable[RoomView | None]]


@dataclass(frozen=True, slots=True, eq=False)  # no two are equal, so what is made of one is found
class RoomCopy:
    """What this process knows of a room.

    Attributes:
        view: None for a product without a room.
        read: when it was read.
        asked: when Redis was asked last.
        stale: whether Redis did not answer then.

    """

    view: RoomView | None
    read: clocks.Moment
    asked: clocks.Moment
    stale: bool = False


class RoomCopies:
    """Reads a room when its copy is older than a second, for all who wait for it together."""

    def __init__(self, now: Callable[[], clocks.Moment] = clocks.now) -> None:
        self._now = now
        self._copies: dict[str, RoomCopy] = {}
        self._failed: dict[str, clocks.Moment] = {}
        self._reads: dict[str, asyncio.Task[RoomCopy]] = {}
        self._works: dict[str, asyncio.Task[None]] = {}

    def fresh(self, product_id: str) -> RoomCopy | None:
        """Return a copy that needs no look at Redis yet, or None."""
        copy = self._copies.get(product_id)
        if copy is None or clocks.elapsed(copy.asked, self._now()) >= FRESH:
            return None
        return copy

    def is_known(self, product_id: str) -> bool:
        """Return whether the product had a room when it was read last."""
        copy = self._copies.get(product_id)
        return copy is not None and copy.view is not None

    async def get(self, product_id: str, read: Read) -> RoomCopy:
        """Return the copy, and renew it by `read` if it is older than a second.

        Raises:
            StockUnavailable: Redis does not answer, or did not a moment ago, and the copy is older
                than a minute.

        """
        if copy := self.fresh(product_id):
            return copy
        failed = self._failed.get(product_id)
        if failed and clocks.elapsed(failed, self._now()) < FRESH:
            raise StockUnavailable("the room could not be read a moment ago")
        reading = self._reads.get(product_id)
        if reading is None:
            reading = asyncio.create_task(self._read(product_id, read))
            self._reads[product_id] = reading
            reading.add_done_callback(lambda done: self._end(product_id, done))
        # One client that goes must not end the read of the others.
        return await asyncio.shield(reading)

    async def _read(self, product_id: str, read: Read) -> RoomCopy:
        began = self._now()
        try:
            copy = RoomCopy(await read(), began, began)
        except StockUnavailable:
            old = self._copies.get(product_id)
            now = self._now()  # a second after it failed, not after it began: it may take longer
            if old is None or clocks.elapsed(old.read, now) >= STALE:
                if len(self._failed) >= MOST:
                    self._failed.clear()
                self._failed[product_id] = now
                raise
            copy = replace(old, asked=now, stale=True)
        if len(self._copies) >= MOST:  # ids that clients made up have no room
            rooms = {id_: one for id_, one in self._copies.items() if one.view}
            self._copies = rooms if len(rooms) < MOST else {}
        self._copies[product_id] = copy
        return copy

    def _end(self, product_id: str, reading: "asyncio.Task[RoomCopy]") -> None:
        del self._reads[product_id]
        if not reading.cancelled():
            reading.exception()  # all who waited may have gone; then nobody else reads it

    def run_aside(self, product_id: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin work that no client waits for, unless such work for this room is under way."""
        if product_id not in self._works:
            working = asyncio.ensure_future(work())
            self._works[product_id] = working
            working.add_done_callback(lambda _: self._works.pop(product_id))

    async def close(self) -> None:
        """End the work that goes on."""
        works = list(self._works.values())
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
