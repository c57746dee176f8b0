"""V5, the journalled claim: one script takes the units and records the claim.

There is no gap between the decrement and the push, because the request pushes nothing. The ledger
in Redis is an outbox, and a relay sends its claims to SQS, hundreds per message. A claim stays in
the ledger until its order is CONFIRMED (then it is settled) or CANCELLED (then it is released). So
whatever is lost on the way is sent again.
"""

from flashsale.domain.claims import Claim, Claimed, RateLimited
from flashsale.domain.model import NotSold
from flashsale.services import Services
from flashsale.usecases.relay import LEASE_MS, TOKEN


async def buy(services: Services, claim: Claim) -> Claimed | NotSold | RateLimited:
    """Claim the units. If the result says `leader`, the caller must run `relay.lead` next.

    Raises:
        StockUnavailable: Redis is unavailable. The claim may exist nevertheless, so a retry is safe
            with an Idempotency-Key only.

    """
    return await services.ledger.claim(claim, TOKEN, LEASE_MS)
