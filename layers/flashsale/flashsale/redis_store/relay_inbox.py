"""How a claimer that became the leader hands its product to a relay process, if one runs."""

from redis.asyncio import Redis

from flashsale.redis_store.scripts import translated_errors

ALIVE = "relay:alive"
INBOX = "relay:inbox"

# A relay process that has not announced itself for so long is dead; milliseconds.
ALIVE_MS = 3_000
# Seconds for which it waits for work before it announces itself again.
WAIT = 0.5


class RelayInbox:
    """Products whose claims a relay process is to carry.

    Every method raises StockUnavailable where Redis does not answer.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def announce(self) -> None:
        """Say that a relay process runs; to be repeated within `ALIVE_MS`."""
        async with translated_errors():
            await self._redis.set(ALIVE, 1, px=ALIVE_MS)

    async def is_served(self) -> bool:
        """Whether a relay process runs."""
        async with translated_errors():
            return bool(await self._redis.exists(ALIVE))

    async def put(self, product_id: str) -> None:
        """Ask for a relay. What no process takes any more waits for the next one, or the sweep."""
        async with translated_errors():
            await self._redis.rpush(INBOX, product_id)

    async def take(self) -> str | None:
        """The next product, or None after a short wait."""
        async with translated_errors():
            taken = await self._redis.blpop([INBOX], timeout=WAIT)
        return None if taken is None else str(taken[1])
