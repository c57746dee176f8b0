"""The stock in Redis. Redis decides which purchase gets units, by the scripts in `lua/`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from redis.asyncio import Redis

from flashsale.chunks import chunks
from flashsale.domain.claims import SaleState
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import ON_POSTGRES, NotSold, Refusal, SoldBy, Supply, Terms
from flashsale.domain.rooms import Room
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.opening_script import opening_call
from flashsale.redis_store.return_codes import Decrement, Opening, Pause, Resumption
from flashsale.redis_store.scripts import (
    CLAIMS_PER_SCRIPT,
    Keys,
    Script,
    again_later,
    translated_errors,
)
from flashsale.redis_store.sold_out import SoldOut

# Set: the products that were ever on sale, for use cases that need all, such as the sweep.
SALES = "sales"
SWEEPER, EXPIRER = "sweeper", "expirer"
CANCELLER, REFUNDER = "canceller", "refunder"
# Never written, see `ping`.
PROBE = "probe"
ANYTIME = Terms()


_REFUSALS = {
    Decrement.SOLD_OUT: Refusal.SOLD_OUT,
    Decrement.NOT_ON_SALE: Refusal.NO_SUCH_PRODUCT,
    Decrement.NOT_OPEN: Refusal.SALE_NOT_OPEN,
}


class Stock:
    """The units of each product that can be claimed.

    Every method raises StockUnavailable if Redis is unavailable.
    """

    def __init__(self, redis: Redis, sold_out: SoldOut, known_rooms: KnownRooms) -> None:
        self._redis = redis
        self._sold_out = sold_out
        self._known_rooms = known_rooms
        self._decrement = Script(redis, "decrement")
        self._release = Script(redis, "release")
        self._open_sale = Script(redis, "open_sale")
        self._pause_sale = Script(redis, "pause_sale")
        self._resume_sale = Script(redis, "resume_sale")
        self._restock = Script(redis, "restock")

    async def decrement(
        self, product_id: str, quantity: int = 1, generation: int = 4
    ) -> int | NotSold:
        """Take units for a generation; return how many remain, or why none were taken."""
        if self._sold_out.has(product_id, generation):
            return Refusal.SOLD_OUT
        keys = Keys(product_id)
        left, *seller = await self._decrement(
            keys=[keys.stock, keys.sale], args=[quantity, generation]
        )
        if left == Decrement.SOLD_OUT and quantity == 1:
            self._sold_out.remember(product_id, generation)
        if left == Decrement.OTHER_GENERATION:
            return SoldBy(product_id, *seller)
        return _REFUSALS[Decrement(left)] if left < 0 else int(left)

    async def enter(self, order: QueuedOrder) -> NotSold | None:
        """Check that V1 or V2 may sell this product; return why not, or None.

        They take their units in PostgreSQL. If the sale was opened without a generation, it now
        belongs to this one, even if PostgreSQL rejects the order afterwards: no step is atomic
        across two stores.
        """
        left = await self.decrement(order.product_id, 0, order.generation)
        return None if isinstance(left, int) else left

    async def release(self, product_id: str, orders: Sequence[QueuedOrder]) -> int:
        """Give the units of orders back, once per order; return the units that this call gave back.

        It returns 0 if the product is not on sale. It raises StockUnavailable for every error of
        Redis, because the orders will never be written.
        """
        keys, released = Keys(product_id), 0
        async with again_later():
            for chunk in chunks(orders, CLAIMS_PER_SCRIPT):
                answer = await self._release(
                    keys=[keys.stock, keys.released, keys.sale],
                    args=[part for order in chunk for part in (order.id, order.quantity)],
                )
                self._sold_out.forget(product_id)
                released += max(0, int(answer))  # negative: the product is not on sale
        return released

    async def open_sale(
        self,
        product_id: str,
        units: int,
        terms: Terms = ANYTIME,
        buyers: Mapping[str, int] | None = None,
        supply: Supply | None = None,
        *,
        again: bool = False,
        room: Room | None = None,
    ) -> Opening:
        """Put a product on sale.

        Args:
            buyers: units that buyers already have, if a sale with a purchase limit is reopened.
            supply: read in the same statement as `units`; by default `units` are all there is.
            again: the caller has drained the sale. Open it even if it is paused, ended or lost.
            room: the waiting room that guards the sale, as PostgreSQL knows it. Its queue is
                opened before, by `Rooms.open`.

        """
        # First. Otherwise a process that dies in between leaves a sale that no sweep and no alarm
        # sees.
        async with translated_errors():
            await self._redis.sadd(SALES, product_id)
        supply = supply or Supply(product_id, units, units, 0)
        if room:  # only V5 asks who is inside
            terms = replace(terms, room=room.terms)
        keys, arguments = opening_call(units, terms, buyers or {}, supply, room, again=again)
        opened = await self._open_sale(keys=keys, args=arguments)
        self._known_rooms.forget(product_id)
        self._sold_out.forget(product_id)
        return Opening(opened)

    async def pause_to_rebuild(self, product_id: str) -> Terms | None:
        """Stop claims; return the terms of the sale, or None if Redis has lost them."""
        keys = Keys(product_id)
        _, *terms = await self._pause_sale(
            keys=[keys.stock, keys.sale], args=[SaleState.PAUSED, "lost"]
        )
        starts, ends, limit, generation = terms
        if limit is None:
            return None
        return Terms(
            _moment(starts), _moment(ends), int(limit), int(generation) if generation else None
        )

    async def pause_sale(self, product_id: str, state: SaleState = SaleState.PAUSED) -> Pause:
        """Stop claims, for now or, with ENDED, for good."""
        keys = Keys(product_id)
        code, *_ = await self._pause_sale(keys=[keys.stock, keys.sale], args=[state, ""])
        return Pause(code)

    async def resume_sale(self, product_id: str) -> Resumption:
        """Resume a paused sale."""
        keys = Keys(product_id)
        resumed = Resumption(await self._resume_sale(keys=[keys.stock, keys.sale]))
        self._sold_out.forget(product_id)
        return resumed

    async def restock(self, product_id: str, supply: int) -> int:
        """Add the units that the sale does not have yet; return how many, 0 if there is no sale.

        Args:
            supply: `Supply.initial`.

        """
        keys = Keys(product_id)
        added = await self._restock(keys=[keys.stock, keys.sale], args=[supply])
        self._sold_out.forget(product_id)
        return max(0, int(added))

    async def list_sales(self) -> list[str]:
        """Return the ids of all products that were ever on sale, or whose opening was cut off."""
        async with translated_errors():
            return sorted(str(id_) for id_ in await self._redis.smembers(SALES))

    async def take_turn(self, task: str, period: float) -> bool:
        """Return whether the caller is the first to do this task in this period of seconds.

        Args:
            task: SWEEPER, EXPIRER, CANCELLER or REFUNDER.

        """
        async with translated_errors():
            # Below the period, so that the caller's next turn finds it expired.
            milliseconds = int(period * 900)
            return bool(await self._redis.set(task, 1, nx=True, px=milliseconds))

    async def end_turn(self, task: str) -> None:
        """Let the next turn of a task begin at once."""
        async with translated_errors():
            await self._redis.delete(task)

    async def left(self, product_ids: list[str]) -> list[int | None]:
        """Return the units of each product that can be claimed, in the given order.

        None stands for a product without an open sale, and for one that sells from PostgreSQL.
        """
        if not product_ids:
            return []
        # No MGET, because on a cluster each product may be on another shard.
        async with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for id_ in product_ids:
                pipeline.get(Keys(id_).stock)
                pipeline.hget(Keys(id_).sale, "generation")
            values = await pipeline.execute()
        elsewhere = {str(generation) for generation in ON_POSTGRES}
        return [
            None if stock is None or generation in elsewhere else int(stock)
            for stock, generation in zip(values[::2], values[1::2], strict=True)
        ]

    async def ping(self) -> None:
        """Raise StockUnavailable unless Redis responds and accepts writes.

        Redis checks whether it may write (disk, memory, replicas, role) before it looks up the key.
        This key does not exist, so nothing is written or replicated.
        """
        async with translated_errors():
            await self._redis.set(PROBE, "", xx=True)


def _moment(milliseconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None
