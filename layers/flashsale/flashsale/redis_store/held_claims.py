"""The claims in Redis whose orders are RESERVED (V5): their units are held until the order ends."""

from collections.abc import Sequence

from redis.asyncio import Redis

from flashsale.chunks import chunks
from flashsale.domain.messages import QueuedOrder
from flashsale.redis_store.scripts import (
    CLAIMS_PER_SCRIPT,
    Keys,
    Script,
    again_later,
    translated_errors,
)


class HeldClaims:
    """Takes claims from the ledger, and tells of which PostgreSQL is to be asked.

    The ledger settles and releases held claims, too. Every method raises StockUnavailable if Redis
    does not answer.
    """

    def __init__(self, redis: Redis, grace: int) -> None:
        self._redis = redis
        self._grace = grace
        self._hold = Script(redis, "hold")

    async def hold(self, product_id: str, orders: Sequence[tuple[QueuedOrder, int]]) -> int:
        """Move the claims of RESERVED orders to the holds; return the units that this call moved.

        Raises StockUnavailable for every error of Redis, because the orders are already written.

        Args:
            orders: each with the end of its hold, in ms since 1970.

        """
        keys, held = Keys(product_id), 0
        async with again_later():
            for chunk in chunks(orders, CLAIMS_PER_SCRIPT):
                # A hint only, and most orders of a chunk were written by the same statement.
                end = max(until for _, until in chunk)
                claims = [part for one, _ in chunk for part in (one.entry_id, one.quantity)]
                held += await self._hold(
                    keys=[keys.ledger, keys.sale, keys.holds], args=[end, *claims]
                )
        return held

    async def list_due(self, product_id: str, count: int, *, within: int = 0) -> dict[str, str]:
        """Return holds that should have expired: order ids by the holds' members.

        The time is that of Redis. It is a hint: PostgreSQL decides whether a hold has ended.

        Args:
            within: also return those that should have expired within so many seconds.

        """
        async with translated_errors():
            now, _ = await self._redis.time()
            ended = (now - self._grace + within) * 1000
            members = await self._redis.zrangebyscore(
                Keys(product_id).holds, "-inf", ended, start=0, num=count
            )
        return {str(member): f"{product_id}:{str(member).split(' ', 1)[0]}" for member in members}

    async def ask_again(self, product_id: str, members: Sequence[str], seconds: int) -> None:
        """Let PostgreSQL be asked of these holds again after some seconds."""
        async with translated_errors():
            now, _ = await self._redis.time()
            at = (now - self._grace + seconds) * 1000
            await self._redis.zadd(Keys(product_id).holds, dict.fromkeys(members, at), xx=True)
