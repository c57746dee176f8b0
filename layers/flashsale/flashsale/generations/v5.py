"""V5, the journalled claim: one script takes the units and writes the claim down.

There is no gap between the decrement and the push, because there is no push: the ledger in Redis is
the queue's source, and a relay carries it to SQS, hundreds of claims a message. The claim stays in
the ledger until its order is CONFIRMED (settled) or CANCELLED (released), so that whatever is lost
on the way is sent again.
"""

from flashsale.domain.claims import Claim, Claimed, RateLimited
from flashsale.domain.model import NotSold
from flashsale.services import Services
from flashsale.usecases.relay import LEASE_MS, TOKEN


async def buy(services: Services, claim: Claim) -> Claimed | NotSold | RateLimited:
    """Claim the units. If the answer says `leader`, the caller runs `relay` next.

    Raises:
        StockUnavailable: Redis does not answer; the claim may have been made all the same. Only an
            idempotency key makes it safe to try again.

    """
    return await services.ledger.claim(claim, TOKEN, LEASE_MS)
