"""What live streams are about: the newest state of a sale or of an order, as bytes for all."""

import asyncio
import json
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi.sse import format_sse_event
from pydantic import BaseModel

from flashsale.chunks import chunks
from flashsale.domain.claims import Snapshot
from flashsale.domain.model import V5, OrderRow, OrderStatus
from flashsale.http.orders import order_body
from flashsale.http.room_schemas import RoomBody
from flashsale.http.schemas import OrderStateBody, StockBody
from flashsale.redis_store.room_copies import RoomCopy
from flashsale_server.edge.stream_metrics import ORDER, SALE

if TYPE_CHECKING:
    from flashsale_server.edge.listeners import Listener

# Seconds after which a state is sent again, so that the clocks of its readers stay right.
SEND_AGAIN = 10.0
# Listeners that are woken at once, the most turns in which all are woken, and seconds between two.
FEW, SLICES, PAUSE = 20, 40, 0.01
# Nothing leads out of these.
FINAL = frozenset({OrderStatus.CONFIRMED, OrderStatus.EXPIRED, OrderStatus.CANCELLED})


class Topic:
    """One state that listeners follow.

    Args:
        key: what it is about; no two topics of a kind have the same.
        store: what its state is read from, as clients are told.

    Attributes:
        frames: what a new listener is sent: one event, or two while the store is down.
        version: changes with each state that all listeners are sent.
        failed: whether the store did not answer the last time.

    """

    def __init__(self, kind: str, key: Hashable, store: str) -> None:
        self.kind, self.key = kind, key
        self.listeners: set[Listener] = set()
        self.frames = b""
        self.version = self._told = 0
        self.failed = self.final = False
        self._store = store
        self._state: dict[str, Any] = {}

    def fail(self) -> None:
        """Say once that the store does not answer, and repeat the last state as a stale one."""
        if not self.failed:
            self.failed = True
            unknown = _event("unknown", {"what": self._store})
            self._publish(unknown + _event(self.kind, _stale(self._state)))

    async def tell(self) -> None:
        """Wake all listeners if there is something new, a few at a time.

        A thousand at once would keep every purchase of this worker waiting.
        """
        if self._told == self.version:
            return
        self._told = self.version
        everybody = list(self.listeners)
        for some in chunks(everybody, max(FEW, len(everybody) // SLICES)):
            if some[0] is not everybody[0]:
                await asyncio.sleep(PAUSE)
            for listener in some:
                listener.wake()

    def _publish(self, frames: bytes) -> None:
        self.frames = frames
        self.version += 1


class SaleTopic(Topic):
    """Where the units of a sale are, and its waiting room."""

    def __init__(self, product_id: str) -> None:
        super().__init__(SALE, product_id, "redis")
        self.product_id = product_id
        self._sent = 0.0
        self._known: dict[str, Any] = {}

    def show(self, copy: RoomCopy, snapshot: Snapshot | None) -> bool:
        """Publish a state if it changed; return False if there is neither a sale nor a room."""
        is_v5 = snapshot is not None and snapshot.generation in (None, V5)
        stock = _dict(StockBody.model_validate(snapshot)) if is_v5 else None
        room = _dict(RoomBody.of(copy.view, stale=copy.stale)) if copy.view else None
        known = {"stock": stock, "room": room and {**room, "now": ""}, "stale": copy.stale}
        self._state = {"now": _iso(datetime.now(UTC)), **known, "room": room}
        frames, now = _event(SALE, self._state), asyncio.get_running_loop().time()
        if self.failed or known != self._known or now - self._sent >= SEND_AGAIN:
            self.failed, self._known, self._sent = False, known, now
            self._publish(frames)
        else:
            self.frames = frames  # a new listener gets the present time
        return bool(stock or room)


class OrderTopic(Topic):
    """The status of an order.

    Args:
        state: as it is now.
        owner: whose order it must be; None for anybody's.

    """

    def __init__(self, state: OrderStateBody, owner: str | None) -> None:
        super().__init__(ORDER, (state.order_id, owner), "postgresql")
        self.order_id, self._owner = state.order_id, owner
        self.status = ""
        self._show(state)

    def show(self, row: OrderRow | None) -> None:
        """Publish what is written of the order. Without a row it is as before."""
        if row and self._owner in (None, row.user_id):
            self._show(order_body(row))
        elif self.failed:
            self._show(None)

    def _show(self, state: OrderStateBody | None) -> None:
        new = state.model_dump(mode="json", by_alias=True) if state else self._state
        if self.failed or new != self._state:
            self.failed, self._state, self.status = False, new, str(new["status"])
            self.final = self.status in FINAL
            self._publish(_event(ORDER, new))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dict(body: BaseModel) -> dict[str, Any]:
    return body.model_dump(mode="json", by_alias=True, exclude_none=True)


def _stale(state: Mapping[str, Any]) -> dict[str, Any]:
    room = state.get("room")
    return {**state, **({"room": {**room, "stale": True}} if room else {}), "stale": True}


def _event(event: str, data: Mapping[str, Any]) -> bytes:
    return format_sse_event(event=event, data_str=json.dumps(data, separators=(",", ":")))
