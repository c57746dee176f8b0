"""The call of `claim.lua`: its keys and arguments, and what its answer means."""

from collections.abc import Mapping, Sequence

from flashsale.config import Rate
from flashsale.domain.claims import Claim, Claimed, RateLimited
from flashsale.domain.model import NotSold, Refusal, SoldBy
from flashsale.redis_store.return_codes import Claiming
from flashsale.redis_store.scripts import Keys, owned

# Seconds for which an Idempotency-Key is remembered. Clients stop retrying long before that.
IDEMPOTENCY_TTL = 24 * 3600
# A binding outlives the answer, so a key without a binding has no answer either. See bound_to.lua.
BINDING_TTL = IDEMPOTENCY_TTL + 60

_REFUSALS = {
    Claiming.SOLD_OUT: Refusal.SOLD_OUT,
    Claiming.NOT_ON_SALE: Refusal.NO_SUCH_PRODUCT,
    Claiming.NOT_OPEN: Refusal.SALE_NOT_OPEN,
    Claiming.PURCHASE_LIMIT: Refusal.PURCHASE_LIMIT,
    Claiming.NOT_INSIDE: Refusal.ADMISSION_REQUIRED,
}


def buckets_of(claim: Claim, rate_limits: Mapping[str, Rate]) -> dict[str, str]:
    """Return the bucket that this claim takes a token from, by the name of the rate limit."""
    owners = {"user": claim.user_id, "address": claim.address}
    return {name: owners[name] for name in rate_limits if owners[name]}


def claim_call(
    claim: Claim,
    buckets: Mapping[str, str],
    rate_limits: Mapping[str, Rate],
    lease_token: str,
    lease_ms: int,
) -> tuple[list[str], list[str | int]]:
    """Return KEYS and ARGV of claim.lua."""
    keys = Keys(claim.product_id)
    names = [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.lease, keys.inside]
    arguments: list[str | int] = [
        claim.user_id,
        claim.quantity,
        claim.correlation_id,
        lease_token,
        lease_ms,
        IDEMPOTENCY_TTL,
    ]
    for name, owner in buckets.items():
        rate = rate_limits[name]
        names.append(keys.rate(name, owner))
        arguments += (rate.requests, rate.seconds * 1_000_000 // rate.requests)
    if claim.idempotency_key:
        names.append(keys.idempotency(claim.user_id, claim.idempotency_key))
    return names, arguments


def is_refused(answer: Sequence[int]) -> bool:
    """Return whether an answer of claim.lua says that no units were claimed."""
    return answer[0] < 0


def outcome_of(
    answer: Sequence[int], product_id: str, buckets: Mapping[str, str]
) -> Claimed | NotSold | RateLimited:
    """Translate an answer of claim.lua."""
    code, *values = answer
    if code >= 0:
        entry, remaining, leader, *allowed = values
        return Claimed(
            order_id=f"{product_id}:{entry}",
            remaining=remaining,
            leader=bool(leader),
            allowed=dict(zip(buckets, allowed, strict=True)),
        )
    if code == Claiming.RATE_LIMIT:
        number, microseconds = values
        return RateLimited(list(buckets)[number - 1], microseconds / 1_000_000)
    if code == Claiming.OTHER_GENERATION:
        return SoldBy(product_id, *values)
    return _REFUSALS[Claiming(code)]


def key_binding(claim: Claim) -> tuple[str, str]:
    """Return the Redis key of a claim's Idempotency-Key, and the request that it is bound to.

    The binding only rejects the same key with another request. Which of two equal requests claims
    the units is decided in claim.lua.
    """
    name = f"idem:{owned(claim.user_id, claim.idempotency_key)}"
    return name, f"{claim.product_id} {claim.quantity}"
