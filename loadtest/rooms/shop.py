"""Products on sale in Redis, with and without a waiting room."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flashsale.domain.claims import Claim
from flashsale.domain.draw import new_seed
from flashsale.domain.model import V5, Terms
from flashsale.domain.rooms import Mode, Room, RoomTerms
from flashsale.redis_store.claim_script import claim_call
from flashsale.redis_store.scripts import Keys, QueueKeys
from flashsale.services import Services
from flashsale.usecases.relay import LEASE_MS, TOKEN
from loadtest.on_sale import STOCK

ROOM = RoomTerms(Mode.DRAW, max_inside=10**6, max_rate=60_000)
HOUR = timedelta(hours=1)
CORRELATION_ID = "c" * 32

_numbers = itertools.count()


@dataclass(frozen=True)
class Shop:
    """Sells new products of V5."""

    services: Services

    async def put_on_sale(self, *, starts: bool = False, room: bool = False) -> str:
        """Put a new product on sale in Redis alone; return its id.

        Args:
            starts: its terms have a start, which has passed.
            room: a waiting room guards it, which has opened.

        """
        product_id = f"bench-{time.time_ns():x}"
        past = datetime.now(UTC) - HOUR
        guard = Room(product_id, 1, ROOM, past, new_seed()) if room else None
        if guard:
            await self.services.rooms.open(guard)
        terms = Terms(
            generation=V5, starts_at=past if starts else None, room=ROOM if room else None
        )
        await self.services.stock.open_sale(product_id, STOCK, terms, room=guard)
        return product_id

    async def let_in(self, product_id: str, users: Sequence[str]) -> None:
        """Let users in, whatever the room says."""
        until = int((datetime.now(UTC) + HOUR).timestamp() * 1000)
        redis: Any = self.services.redis
        await redis.zadd(Keys(product_id).inside, dict.fromkeys(users, until))

    async def close(self, product_id: str) -> None:
        """Let Redis forget a product."""
        keys, queue, redis = Keys(product_id), QueueKeys(product_id), self.services.redis
        await redis.delete(keys.stock, keys.ledger, keys.sale, keys.lease)
        await redis.delete(keys.door, keys.calls, keys.inside)
        await redis.delete(queue.places, queue.room)


def new_users(count: int) -> list[str]:
    """Return ids of users that nobody has had."""
    return [f"u-{next(_numbers):07}" for _ in range(count)]


def claims_of(product_id: str, users: Sequence[str]) -> tuple[list[str], Iterator[list[str | int]]]:
    """Return the keys of claim.lua for this product, and the arguments for each user."""

    def call(user: str) -> tuple[list[str], list[str | int]]:
        claim = Claim(product_id, user, 1, correlation_id=CORRELATION_ID)
        return claim_call(claim, {}, {}, TOKEN, LEASE_MS)

    keys, _ = call(users[0])
    return keys, (call(user)[1] for user in users)
