"""What all adapters to Redis share: keys, scripts, and driver errors in this package's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import exceptions
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from flashsale.errors import StockUnavailable

LUA = Path(__file__).parent / "lua"

# Redis is down, restarting, full or no longer the primary: all of them pass, so try again.
UNAVAILABLE = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one product. They share a hash tag, so that a script can use all on a cluster."""

    product_id: str

    @property
    def stock(self) -> str:
        """Integer: units that can be claimed."""
        return f"{{{self.product_id}}}:stock"

    @property
    def released(self) -> str:
        """Set: ids of the V4 orders whose units were given back."""
        return f"{{{self.product_id}}}:released"

    @property
    def ledger(self) -> str:
        """Stream: claims that are neither settled nor released (V5)."""
        return f"{{{self.product_id}}}:ledger"

    @property
    def sale(self) -> str:
        """Hash: the terms of the sale, and its counters."""
        return f"{{{self.product_id}}}:sale"

    @property
    def buyers(self) -> str:
        """Hash: user -> units claimed."""
        return f"{{{self.product_id}}}:buyers"

    @property
    def lease(self) -> str:
        """String: who relays now."""
        return f"{{{self.product_id}}}:lease"

    def idempotency(self, user_id: str, key: str) -> str:
        """String: the answer to an earlier request of this user with this key."""
        return f"{{{self.product_id}}}:idem:{user_id}:{key}"


def script(redis: Redis, name: str) -> AsyncScript:
    """The script `lua/<name>.lua`, which says what it takes and returns."""
    return redis.register_script((LUA / f"{name}.lua").read_text())


@asynccontextmanager
async def translated_errors() -> AsyncIterator[None]:
    """Raise StockUnavailable where Redis does not answer."""
    try:
        yield
    except UNAVAILABLE as error:
        raise StockUnavailable(f"Redis: {error}") from error
