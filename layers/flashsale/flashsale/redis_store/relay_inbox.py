"""The inbox of the relay process: a claimer that got the lease hands its product over."""

from redis.asyncio import Redis

from flashsale.redis_store.scripts import translated_errors

ALIVE = "relay:alive"
INBOX = "relay:inbox"

# Milliseconds after the last announcement at which a relay process counts as dead.
ALIVE_MS = 3_000
# Seconds that a relay process waits for work before it announces itself again.
WAIT = 0.5


class RelayInbox:
    """Products whose claims a relay process must send.

    Every method raises StockUnavailable if Redis is unavailable.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def announce(self) -> None:
        """Announce that a relay process runs. Repeat it within `ALIVE_MS`."""
        async with translated_errors():
            await self._redis.set(ALIVE, 1, px=ALIVE_MS)

    async def is_served(self) -> bool:
        """Return whether a relay process runs."""
        async with translated_errors():
            return bool(await self._redis.exists(ALIVE))

    async def put(self, product_id: str) -> None:
        """Ask for a relay. If no process takes the product, the next one or the sweep does."""
        async with translated_errors():
            await self._redis.rpush(INBOX, product_id)

    async def take(self) -> str | None:
        """Take the next product; return None if none comes within `WAIT`."""
        async with translated_errors():
            taken = await self._redis.blpop([INBOX], timeout=WAIT)
        return None if taken is None else str(taken[1])
