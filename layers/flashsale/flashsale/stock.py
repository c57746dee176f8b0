"""Stock in Redis. Redis decides who may claim; the rules are the scripts in `lua/`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum

from redis.asyncio import Redis

from flashsale.model import Order, Refusal, Terms
from flashsale.scripts import Keys, Script, translated_errors

# The products on sale, for who must look at all of them (the sweep).
SALES = "sales"
SWEEPER = "sweeper"
ANYTIME = Terms()


class Decrement(IntEnum):
    """Negative answers of decrement.lua."""

    SOLD_OUT = -1
    NOT_ON_SALE = -2


class Release(IntEnum):
    """Answers of release.lua."""

    RELEASED = 1
    RELEASED_BEFORE = 0
    NOT_ON_SALE = -2


class Stock:
    """The units of each product that can be claimed.

    Every method raises StockUnavailable where Redis does not answer.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._decrement = Script(redis, "decrement")
        self._release = Script(redis, "release")
        self._open_sale = Script(redis, "open_sale")
        self._pause_sale = Script(redis, "pause_sale")

    async def decrement(self, product_id: str, quantity: int = 1) -> int | Refusal:
        """Take units; returns how many remain, or why none were taken."""
        left = int(await self._decrement(keys=[Keys(product_id).stock], args=[quantity]))
        if left == Decrement.SOLD_OUT:
            return Refusal.SOLD_OUT
        if left == Decrement.NOT_ON_SALE:
            return Refusal.NO_SUCH_PRODUCT
        return left

    async def release(self, order: Order) -> Release:
        """Give the units of an order back, once however often this is called."""
        keys = [Keys(order.product_id).stock, Keys(order.product_id).released]
        return Release(await self._release(keys=keys, args=[order.id, order.quantity]))

    async def open_sale(
        self,
        product_id: str,
        units: int,
        terms: Terms = ANYTIME,
        buyers: Mapping[str, int] | None = None,
    ) -> bool:
        """Put a product on sale; False if its sale is running already (nothing changed).

        Args:
            buyers: units that buyers have already, where a sale with a limit is opened again.

        """
        keys = Keys(product_id)
        opened = await self._open_sale(
            keys=[keys.stock, keys.released, keys.sale, keys.ledger, keys.buyers],
            args=[
                units,
                _milliseconds(terms.starts_at),
                _milliseconds(terms.ends_at),
                terms.limit_per_buyer,
                *(part for pair in (buyers or {}).items() for part in pair),
            ],
        )
        async with translated_errors():
            await self._redis.sadd(SALES, product_id)
        return bool(opened)

    async def pause_sale(self, product_id: str) -> Terms | None:
        """Let nobody claim any more; returns the sale's terms, None if Redis has lost them."""
        keys = Keys(product_id)
        terms = await self._pause_sale(keys=[keys.stock, keys.sale])
        return Terms(_moment(terms[0]), _moment(terms[1]), int(terms[2])) if terms else None

    async def sales(self) -> list[str]:
        """Ids of the products whose sale was opened."""
        async with translated_errors():
            return sorted(str(id_) for id_ in await self._redis.smembers(SALES))

    async def take_sweep(self, period: float) -> bool:
        """Whether the caller is the first to sweep in this period of so many seconds."""
        async with translated_errors():
            milliseconds = int(period * 900)  # less than the period, which its own timer measures
            return bool(await self._redis.set(SWEEPER, 1, nx=True, px=milliseconds))

    async def left(self, product_ids: list[str]) -> list[int | None]:
        """Units that can be claimed, in the order asked for; None where no sale was opened."""
        if not product_ids:
            return []
        # No MGET: on a cluster each product is on a shard of its own.
        async with translated_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for id_ in product_ids:
                pipeline.get(Keys(id_).stock)
            values = await pipeline.execute()
        return [None if value is None else int(value) for value in values]

    async def ping(self) -> None:
        """Raise StockUnavailable unless Redis answers."""
        async with translated_errors():
            await self._redis.ping()


def _moment(milliseconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def _milliseconds(moment: datetime | None) -> str:
    return "" if moment is None else str(int(moment.timestamp() * 1000))
