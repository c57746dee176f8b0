"""The ledger of V5 in Redis: claims that are neither settled nor released yet."""

import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from flashsale.chunks import chunks
from flashsale.config import Rate
from flashsale.domain.claims import Claim, Claimed, SaleState, Snapshot, TooMany
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import ENTRY_ID, PRODUCT_ID, NotSold, Refusal, SoldBy
from flashsale.redis_store.scripts import (
    CLAIMS_PER_SCRIPT,
    Keys,
    Script,
    again_later,
    owned,
    translated_errors,
)

# Seconds for which an Idempotency-Key is remembered: longer than anybody retries.
IDEMPOTENCY_TTL = 24 * 3600

_REFUSALS = {
    -1: Refusal.SOLD_OUT,
    -2: Refusal.NO_SUCH_PRODUCT,
    -3: Refusal.SALE_NOT_OPEN,
    -4: Refusal.PURCHASE_LIMIT,
}
_TOO_MANY, _OTHER_GENERATION = -5, -6


class Ledger:
    """Claims, and what becomes of them. Raises StockUnavailable where Redis does not answer."""

    def __init__(self, redis: Redis, limits: Mapping[str, Rate] | None = None) -> None:
        self._redis = redis
        self._limits = limits or {}
        self._claim = Script(redis, "claim")
        self._bind_key = Script(redis, "bind_key")
        self._unbind_key = Script(redis, "unbind_key")
        self._settle = Script(redis, "settle")
        self._release = Script(redis, "release_claim")
        self._give_back = Script(redis, "give_back")
        self._snapshot = Script(redis, "snapshot")
        self._overdue = Script(redis, "overdue")
        self._renew_lease = Script(redis, "renew_lease")
        self._drop_lease = Script(redis, "drop_lease")

    async def claim(
        self, request: Claim, lease_token: str, lease_ms: int
    ) -> Claimed | NotSold | TooMany:
        """Claim units and write the claim down, in one step; try to become the relay, too."""
        keys = Keys(request.product_id)
        limits = self._limits_of(request)
        names = [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.lease]
        names += [keys.rate(limit, of) for limit, of in limits.items()]
        if request.idempotency_key:
            names.append(keys.idempotency(request.user_id, request.idempotency_key))
            name, same = _binding(request)
            if not await self._bind_key(keys=[name], args=[same, IDEMPOTENCY_TTL]):
                return Refusal.KEY_REUSED
        arguments: list[str | int] = [
            request.user_id,
            request.quantity,
            request.correlation_id,
            lease_token,
            lease_ms,
            IDEMPOTENCY_TTL,
        ]
        for limit in limits:
            rate = self._limits[limit]
            arguments += [rate.requests, rate.seconds * 1_000_000 // rate.requests]
        code, *answer = await self._claim(keys=names, args=arguments)
        if code < 0 and request.idempotency_key:  # else a flood of refusals fills Redis for a day
            name, same = _binding(request)
            await self._unbind_key(keys=[name], args=[same])
        if code == _TOO_MANY:
            number, wait = answer
            return TooMany(list(limits)[number - 1], wait / 1_000_000)
        if code == _OTHER_GENERATION:
            return SoldBy(request.product_id, *answer)
        if code < 0:
            return _REFUSALS[code]
        entry, remaining, leader, *allowed = answer
        return Claimed(
            order_id=f"{request.product_id}:{entry}",
            remaining=remaining,
            leader=bool(leader),
            allowed=dict(zip(limits, allowed, strict=True)),
        )

    def _limits_of(self, request: Claim) -> dict[str, str]:
        """Whose buckets pay for this claim, by the limit's name."""
        payers = {"user": request.user_id, "address": request.address}
        return {limit: payers[limit] for limit in self._limits if payers[limit]}

    async def settle(self, product_id: str, orders: Sequence[QueuedOrder]) -> int:
        """Close the claims of confirmed orders; returns the units that were settled now.

        Raises StockUnavailable for every error of Redis, because the orders are written.
        """
        keys, settled = Keys(product_id), 0
        async with again_later():
            for some in chunks(orders, CLAIMS_PER_SCRIPT):
                arguments = [part for order in some for part in (order.entry_id, order.quantity)]
                settled += int(await self._settle(keys=[keys.ledger, keys.sale], args=arguments))
        return settled

    async def release(self, product_id: str, orders: Sequence[QueuedOrder]) -> int:
        """Give the units of claims back, once each; returns the units that this call gave back.

        Raises StockUnavailable for every error of Redis, because the orders' rows are written.
        """
        keys, released = Keys(product_id), 0
        async with again_later():
            for some in chunks(orders, CLAIMS_PER_SCRIPT):
                parts = [(order.entry_id, order.user_id, order.quantity) for order in some]
                released += await self._release(
                    keys=[keys.stock, keys.ledger, keys.sale, keys.buyers, keys.released],
                    args=[part for claim in parts for part in claim],
                )
        return released

    async def give_back(self, order: QueuedOrder) -> bool:
        """Give the units of an order back that was CONFIRMED, settled or not, and is CANCELLED now.

        True if this call did; False if one before it did, or where there is no sale.
        """
        keys = Keys(order.product_id)
        given = await self._give_back(
            keys=[keys.stock, keys.ledger, keys.sale, keys.buyers, keys.released],
            args=[order.entry_id, order.user_id, order.quantity],
        )
        return int(given) == 1

    async def snapshot(self, product_id: str) -> Snapshot | None:
        """Where every unit of a sale is, at one instant; None where no sale was opened.

        Counts all claims, while nobody else is served: not for everybody to ask for.
        """
        return await self._look(product_id, "count")

    async def glance(self, product_id: str) -> Snapshot | None:
        """The same in a time that does not grow with the claims: it believes the invariant."""
        return await self._look(product_id, "")

    async def _look(self, product_id: str, how: str) -> Snapshot | None:
        keys = Keys(product_id)
        names = [keys.stock, keys.ledger, keys.sale]
        figures = await self._snapshot(keys=names, args=[how])
        if figures is None:
            return None
        figures[-2:] = SaleState(figures[-2]), int(figures[-1]) if figures[-1] else None
        return Snapshot(*figures)

    async def count(self, product_id: str) -> int:
        """How many claims are neither settled nor released."""
        async with translated_errors():
            return int(await self._redis.xlen(Keys(product_id).ledger))

    async def oldest_age(self, product_id: str) -> float:
        """Seconds since the oldest claim that is neither settled nor released; 0 without any.

        By two clocks, this process's and that of Redis, which made the entry's id.
        """
        async with translated_errors():
            entries = await self._redis.xrange(Keys(product_id).ledger, count=1)
        return max(0.0, time.time() - claimed_at(str(entries[0][0]))) if entries else 0.0

    async def claimed_by(self, product_id: str, entry_id: str) -> str | None:
        """Whose claim this is, while it is unsettled; None also for what is no entry id."""
        order = await self.find(product_id, entry_id)
        return order.user_id if order else None

    async def find(self, product_id: str, entry_id: str) -> QueuedOrder | None:
        """A claim that is unsettled still; None also for what is no entry id, or no product's."""
        # With a brace in a product id, a ledger would have the name of another key.
        if not re.fullmatch(PRODUCT_ID, product_id) or not re.fullmatch(ENTRY_ID, entry_id):
            return None
        async with translated_errors():
            entries: Any = await self._redis.xrange(
                Keys(product_id).ledger, entry_id, entry_id, count=1
            )
        return _order(product_id, *entries[0]) if entries else None

    async def unsent(self, product_id: str, count: int) -> list[QueuedOrder]:
        """The next claims that nobody has relayed; from now on they are this process's to send."""
        answer: Any = None
        async with translated_errors(), _none_if_lost():
            answer = await self._redis.xreadgroup(
                "relay", "relay", {Keys(product_id).ledger: ">"}, count=count
            )
        entries = answer[0][1] if answer else []
        return [_order(product_id, entry_id, fields) for entry_id, fields in entries]

    async def overdue(
        self, product_id: str, waits_ms: Sequence[int], count: int
    ) -> AsyncIterator[list[QueuedOrder]]:
        """Take the claims that have stayed unsettled too long, up to `count` at a time.

        Args:
            waits_ms: milliseconds since the last send after which a claim that was sent once,
                twice, … is overdue; the last figure also holds for more sends. To be taken counts
                as a send.

        """
        start = "-"
        while start:
            start, *claims = await self._overdue(
                keys=[Keys(product_id).ledger], args=[start, count, *waits_ms]
            )
            if claims:
                yield [
                    QueuedOrder.of_claim(product_id, entry_id, user_id, int(units), correlation_id)
                    for entry_id, user_id, units, correlation_id in claims
                ]

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


def _binding(request: Claim) -> tuple[str, str]:
    """Where an Idempotency-Key is bound, and to what.

    Which of two equal requests claims is decided in claim.lua.
    """
    name = f"idem:{owned(request.user_id, request.idempotency_key)}"
    return name, f"{request.product_id} {request.quantity}"


def _order(product_id: str, entry_id: str, fields: dict[str, str]) -> QueuedOrder:
    return QueuedOrder.of_claim(product_id, entry_id, fields["u"], int(fields["q"]), fields["c"])


def claimed_at(entry_id: str) -> float:
    """When a claim was made, seconds since 1970 by the clock of Redis: its entry id begins so."""
    return int(entry_id.partition("-")[0]) / 1000
