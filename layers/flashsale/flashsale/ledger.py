"""The ledger of V5 in Redis: claims that are neither settled nor released yet."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from flashsale.model import ENTRY_ID, Claim, Claimed, Order, Refusal, Snapshot
from flashsale.scripts import Keys, Script, translated_errors

# Seconds for which an Idempotency-Key is remembered: longer than anybody retries.
IDEMPOTENCY_TTL = 24 * 3600

_REFUSALS = {
    -1: Refusal.SOLD_OUT,
    -2: Refusal.NO_SUCH_PRODUCT,
    -3: Refusal.SALE_NOT_OPEN,
    -4: Refusal.PURCHASE_LIMIT,
}


class Ledger:
    """Claims, and what becomes of them. Raises StockUnavailable where Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim = Script(redis, "claim")
        self._settle = Script(redis, "settle")
        self._release = Script(redis, "release_claim")
        self._snapshot = Script(redis, "snapshot")
        self._renew_lease = Script(redis, "renew_lease")
        self._drop_lease = Script(redis, "drop_lease")

    async def claim(self, request: Claim, lease_token: str, lease_ms: int) -> Claimed | Refusal:
        """Claim units and write the claim down, in one step; try to become the relay, too."""
        keys = Keys(request.product_id)
        names = [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.lease]
        if request.idempotency_key:
            if not await self._bind_key(request):
                return Refusal.KEY_REUSED
            names.append(keys.idempotency(request.user_id, request.idempotency_key))
        arguments: list[str | int] = [
            request.user_id,
            request.quantity,
            request.correlation_id,
            lease_token,
            lease_ms,
            IDEMPOTENCY_TTL,
        ]
        code, *answer = await self._claim(keys=names, args=arguments)
        if code < 0:
            return _REFUSALS[code]
        entry, remaining, leader = answer
        return Claimed(
            order_id=f"{request.product_id}:{entry}",
            remaining=remaining,
            leader=bool(leader),
        )

    async def _bind_key(self, request: Claim) -> bool:
        """Bind the user's key to this request; False if it is bound to another one.

        A step of its own, because another request may be for another product, on another shard.
        Which of two equal requests claims is decided in claim.lua.
        """
        fingerprint = f"{request.product_id} {request.quantity}"
        name = f"idem:{request.user_id}:{request.idempotency_key}"
        async with translated_errors():
            bound = await self._redis.set(name, fingerprint, nx=True, get=True, ex=IDEMPOTENCY_TTL)
        return bound is None or bound == fingerprint

    async def settle(self, product_id: str, orders: Sequence[Order]) -> int:
        """Close the claims of confirmed orders; returns the units that were settled now."""
        keys = Keys(product_id)
        arguments = [part for order in orders for part in (order.entry_id, order.quantity)]
        return int(await self._settle(keys=[keys.ledger, keys.sale], args=arguments))

    async def release(self, order: Order) -> bool:
        """Give the units of a claim back; True if this call did, False if one before it did."""
        keys = Keys(order.product_id)
        released = await self._release(
            keys=[keys.stock, keys.ledger, keys.sale, keys.buyers],
            args=[order.entry_id, order.user_id, order.quantity],
        )
        return bool(released)

    async def snapshot(self, product_id: str) -> Snapshot | None:
        """Where every unit of a sale is, at one instant; None where no sale was opened."""
        keys = Keys(product_id)
        figures = await self._snapshot(keys=[keys.stock, keys.ledger, keys.sale])
        return None if figures is None else Snapshot(*figures)

    async def count(self, product_id: str) -> int:
        """How many claims are neither settled nor released."""
        async with translated_errors():
            return int(await self._redis.xlen(Keys(product_id).ledger))

    async def has(self, product_id: str, entry_id: str) -> bool:
        """Whether this claim is still unsettled; False also for what is no entry id."""
        if not re.fullmatch(ENTRY_ID, entry_id):
            return False
        async with translated_errors():
            return bool(
                await self._redis.xrange(Keys(product_id).ledger, entry_id, entry_id, count=1)
            )

    async def unsent(self, product_id: str, count: int) -> list[Order]:
        """The next claims that nobody has relayed; from now on they are this process's to send."""
        answer: Any = None
        async with translated_errors(), _none_if_lost():
            answer = await self._redis.xreadgroup(
                "relay", "relay", {Keys(product_id).ledger: ">"}, count=count
            )
        entries = answer[0][1] if answer else []
        return [_order(product_id, entry_id, fields) for entry_id, fields in entries]

    async def stale(self, product_id: str, idle_ms: int, count: int) -> AsyncIterator[list[Order]]:
        """Claims that were relayed at least `idle_ms` ago and are unsettled still, once each."""
        cursor = "0-0"
        while True:
            answer: Any = ("0-0", [])
            async with translated_errors(), _none_if_lost():
                answer = await self._redis.xautoclaim(
                    Keys(product_id).ledger, "relay", "relay", idle_ms, cursor, count=count
                )
            cursor, entries, *_ = answer
            orders = [_order(product_id, id_, fields) for id_, fields in entries if fields]
            if orders:
                yield orders
            if cursor == "0-0":
                return

    async def renew_lease(self, product_id: str, token: str, lease_ms: int) -> bool:
        """Hold the lease (for `lease_ms` more) if nobody else does; 0 hands it over."""
        return bool(await self._renew_lease(keys=[Keys(product_id).lease], args=[token, lease_ms]))

    async def drop_lease(self, product_id: str, token: str) -> bool:
        """Stop relaying; False if claims are unsent, and so it goes on."""
        keys = Keys(product_id)
        answer = int(await self._drop_lease(keys=[keys.lease, keys.ledger], args=[token]))
        return answer != 0


@asynccontextmanager
async def _none_if_lost() -> AsyncIterator[None]:
    """Where Redis has lost a ledger there are no claims: `rebuild` is what helps, not an error."""
    try:
        yield
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise


def _order(product_id: str, entry_id: str, fields: dict[str, str]) -> Order:
    return Order.of_claim(product_id, entry_id, fields["u"], int(fields["q"]), fields["c"])
