"""Stock in Redis. Redis decides who may claim; the rules are the scripts in `lua/`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from pathlib import Path

from redis import exceptions
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from flashsale.errors import StockUnavailable
from flashsale.model import Order, Refusal

# Redis is down, restarting, full or no longer the primary: all of them pass, so try again.
UNAVAILABLE = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
)

LUA = Path(__file__).parent / "lua"


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
        self._decrement = _script(redis, "decrement")
        self._release = _script(redis, "release")
        self._open_sale = _script(redis, "open_sale")

    async def decrement(self, product_id: str, quantity: int = 1) -> int | Refusal:
        """Take units; returns how many remain, or why none were taken."""
        async with _translated_errors():
            left = int(await self._decrement(keys=[_stock_key(product_id)], args=[quantity]))
        if left == Decrement.SOLD_OUT:
            return Refusal.SOLD_OUT
        if left == Decrement.NOT_ON_SALE:
            return Refusal.NO_SUCH_PRODUCT
        return left

    async def release(self, order: Order) -> Release:
        """Give the units of an order back, once however often this is called."""
        keys = [_stock_key(order.product_id), _released_key(order.product_id)]
        async with _translated_errors():
            return Release(await self._release(keys=keys, args=[order.id, order.quantity]))

    async def open_sale(self, product_id: str, units: int) -> bool:
        """Put a product on sale; False if its sale is running already (nothing changed)."""
        keys = [_stock_key(product_id), _released_key(product_id)]
        async with _translated_errors():
            return bool(await self._open_sale(keys=keys, args=[units]))

    async def left(self, product_ids: list[str]) -> list[int | None]:
        """Units that can be claimed, in the order asked for; None where no sale was opened."""
        if not product_ids:
            return []
        async with _translated_errors():
            values = await self._redis.mget([_stock_key(id_) for id_ in product_ids])
        return [None if value is None else int(value) for value in values]

    async def ping(self) -> None:
        """Raise StockUnavailable unless Redis answers."""
        async with _translated_errors():
            await self._redis.ping()


def _script(redis: Redis, name: str) -> AsyncScript:
    return redis.register_script((LUA / f"{name}.lua").read_text())


def _stock_key(product_id: str) -> str:
    return f"{{{product_id}}}:stock"


def _released_key(product_id: str) -> str:
    return f"{{{product_id}}}:released"


@asynccontextmanager
async def _translated_errors() -> AsyncIterator[None]:
    try:
        yield
    except UNAVAILABLE as error:
        raise StockUnavailable(f"Redis: {error}") from error
