"""The ledger of V5 in Redis: claims that are neither settled, released nor held yet."""

import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from flashsale.chunks import chunks
from flashsale.config import Rate
from flashsale.domain.claims import Claim, Claimed, RateLimited, SaleState, Snapshot, claimed_at
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import ENTRY_ID, PRODUCT_ID, V5, NotSold, Refusal
from flashsale.redis_store.claim_script import (
    BINDING_TTL,
    buckets_of,
    claim_call,
    is_refused,
    key_binding,
    outcome_of,
)
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.return_codes import Claiming
from flashsale.redis_store.scripts import (
    CLAIMS_PER_SCRIPT,
    Keys,
    Script,
    again_later,
    translated_errors,
)
from flashsale.redis_store.sold_out import SoldOut


class Ledger:
    """Makes claims, and closes them.

    Every method raises StockUnavailable if Redis does not answer.
    """

    def __init__(
        self,
        redis: Redis,
        sold_out: SoldOut,
        known_rooms: KnownRooms,
        rate_limits: Mapping[str, Rate],
    ) -> None:
        self._redis = redis
        self._sold_out = sold_out
        self._known_rooms = known_rooms
        self._rate_limits = rate_limits
        self._claim = Script(redis, "claim")
        self._bind_key = Script(redis, "bind_key")
        self._unbind_key = Script(redis, "unbind_key")
        self._bound_to = Script(redis, "bound_to")
        self._settle = Script(redis, "settle")
        self._release = Script(redis, "release_claim")
        self._give_back = Script(redis, "give_back")
        self._snapshot = Script(redis, "snapshot")
        self._overdue = Script(redis, "overdue")
        self._renew_lease = Script(redis, "renew_lease")
        self._drop_lease = Script(redis, "drop_lease")

    async def claim(
        self, claim: Claim, lease_token: str, lease_ms: int
    ) -> Claimed | NotSold | RateLimited:
        """Take units, write the claim into the ledger and try to get the lease, in one step."""
        name, request = key_binding(claim) if claim.idempotency_key else ("", "")
        is_sold_out = self._sold_out.has(claim.product_id, V5)
        if refusal := Refusal.SOLD_OUT if is_sold_out else self._known_rooms.refusal(claim):
            bound = await self._bound_to(keys=[name]) if name else None
            if not bound:
                return refusal
            if bound != request:  # otherwise an equal request has an order, or is under way
                return Refusal.KEY_REUSED
        if name and not await self._bind_key(keys=[name], args=[request, BINDING_TTL]):
            return Refusal.KEY_REUSED
        buckets = buckets_of(claim, self._rate_limits)
        keys, arguments = claim_call(claim, buckets, self._rate_limits, lease_token, lease_ms)
        answer = await self._claim(keys=keys, args=arguments)
        if answer[0] == Claiming.SOLD_OUT and claim.quantity == 1:
            self._sold_out.remember(claim.product_id, V5)
        if answer[0] == Claiming.NOT_INSIDE:
            self._known_rooms.remember(claim.product_id, answer[1])
        if name and is_refused(answer):
            # Otherwise a flood of refused requests would fill Redis for a day.
            await self._unbind_key(keys=[name], args=[request])
        return outcome_of(answer, claim.product_id, buckets)

    async def settle(self, product_id: str, orders: Sequence[QueuedOrder]) -> int:
        """Close the claims of CONFIRMED orders; return the units that this call settled.

        Raises StockUnavailable for every error of Redis, because the orders are already written.
        """
        keys, settled = Keys(product_id), 0
        async with again_later():
            for chunk in chunks(orders, CLAIMS_PER_SCRIPT):
                arguments = [part for order in chunk for part in (order.entry_id, order.quantity)]
                settled += int(
                    await self._settle(keys=[keys.ledger, keys.sale, keys.holds], args=arguments)
                )
        return settled

    async def release(self, product_id: str, orders: Sequence[QueuedOrder]) -> int:
        """Give the units of claims back, once each; return the units that this call gave back.

        Raises StockUnavailable for every error of Redis, because the rows of the orders are
        already written.
        """
        keys, released = Keys(product_id), 0
        async with again_later():
            for chunk in chunks(orders, CLAIMS_PER_SCRIPT):
                claims = [(order.entry_id, order.user_id, order.quantity) for order in chunk]
                released += await self._release(
                    keys=_closing(keys),
                    args=[part for claim in claims for part in claim],
                )
                self._sold_out.forget(product_id)
        return released

    async def give_back(self, order: QueuedOrder) -> bool:
        """Give back the units of an order that was CONFIRMED or RESERVED and is CANCELLED now.

        Return True if this call gave them back; False if an earlier call did, or if there is no
        sale. The claim may be settled already.
        """
        keys = Keys(order.product_id)
        code = await self._give_back(
            keys=_closing(keys),
            args=[order.entry_id, order.user_id, order.quantity],
        )
        self._sold_out.forget(order.product_id)
        return int(code) == 1

    async def snapshot(self, product_id: str, *, count_claims: bool) -> Snapshot | None:
        """Return where every unit of a sale is, at one instant; None if no sale was opened.

        Args:
            count_claims: count ledger and holds claim by claim, so that the invariant is checked.
                Redis serves no other client meanwhile, so requests of buyers must not use it. If
                false, `unsettled` is computed from the invariant, in constant time.

        """
        keys = Keys(product_id)
        names = [keys.stock, keys.ledger, keys.sale, keys.holds]
        answer = await self._snapshot(keys=names, args=["count" if count_claims else ""])
        if answer is None:
            return None
        answer[7] = SaleState(answer[7])
        for number in 8, 10:
            answer[number] = int(answer[number]) if answer[number] else None
        return Snapshot(*answer)

    async def count(self, product_id: str) -> int:
        """Return how many claims are neither settled nor released."""
        async with translated_errors():
            return int(await self._redis.xlen(Keys(product_id).ledger))

    async def oldest_age(self, product_id: str) -> float:
        """Return the age in seconds of the oldest claim that is still unsettled; 0 without any.

        The age compares two clocks: this process's and that of Redis, which made the entry's id.
        """
        async with translated_errors():
            entries = await self._redis.xrange(Keys(product_id).ledger, count=1)
        return max(0.0, time.time() - claimed_at(str(entries[0][0]))) if entries else 0.0

    async def get(self, product_id: str, entry_id: str) -> QueuedOrder | None:
        """Return a claim that is still unsettled, or None.

        Return None also if an id is malformed, because the ids come from clients.
        """
        # With a brace in a product id, a ledger would have the name of another key.
        if not re.fullmatch(PRODUCT_ID, product_id) or not re.fullmatch(ENTRY_ID, entry_id):
            return None
        async with translated_errors():
            entries: Any = await self._redis.xrange(
                Keys(product_id).ledger, entry_id, entry_id, count=1
            )
        return _order(product_id, *entries[0]) if entries else None

    async def take_unsent(self, product_id: str, count: int) -> list[QueuedOrder]:
        """Take the next claims that were never sent; this process must send them now."""
        answer: Any = None
        async with translated_errors(), _none_if_lost():
            answer = await self._redis.xreadgroup(
                "relay", "relay", {Keys(product_id).ledger: ">"}, count=count
            )
        entries = answer[0][1] if answer else []
        return [_order(product_id, entry_id, fields) for entry_id, fields in entries]

    async def take_overdue(
        self, product_id: str, waits_ms: Sequence[int], count: int
    ) -> AsyncIterator[list[QueuedOrder]]:
        """Take the claims that have stayed unsettled too long, up to `count` at a time.

        Taking a claim counts as sending it.

        Args:
            waits_ms: milliseconds since the last send after which a claim that was sent once,
                twice, … is overdue. The last figure also holds for claims that were sent more
                often.

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
        """Take a free lease or extend the own one by `lease_ms`; 0 hands it over.

        Return False if another process holds the lease.
        """
        return bool(await self._renew_lease(keys=[Keys(product_id).lease], args=[token, lease_ms]))

    async def drop_lease(self, product_id: str, token: str) -> bool:
        """Stop relaying; return False, and keep the lease, if there are unsent claims."""
        keys = Keys(product_id)
        code = int(await self._drop_lease(keys=[keys.lease, keys.ledger], args=[token]))
        return code != 0


@asynccontextmanager
async def _none_if_lost() -> AsyncIterator[None]:
    """Treat a ledger that Redis has lost as empty: `flashsale rebuild` helps, an error does not."""
    try:
        yield
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise


def _closing(keys: Keys) -> list[str]:
    """Return the keys of the scripts that give units back."""
    return [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.released, keys.holds]


def _order(product_id: str, entry_id: str, fields: dict[str, str]) -> QueuedOrder:
    return QueuedOrder.of_claim(product_id, entry_id, fields["u"], int(fields["q"]), fields["c"])
