"""A process that claims units of a product at a constant rate, until its standard input ends.

Then it prints its claims: a JSON array of pairs, when a claim was due (seconds since 1970) and the
seconds until its answer.
"""

import asyncio
import json
import sys
import time

import uvloop

from flashsale.config import Settings
from flashsale.domain.claims import Claim, Claimed
from flashsale.services import Services
from flashsale.usecases.relay import LEASE_MS, TOKEN

# Claims per second.
RATE = 200
BUYER = "u-00001"


async def claim_steadily(settings: Settings, product_id: str) -> list[tuple[float, float]]:
    """Claim one unit at a time until the end of the standard input; return when, and how long."""
    services = Services(settings)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    made: list[tuple[float, float]] = []

    async def claim(due: float) -> None:
        answer = await services.ledger.claim(Claim(product_id, BUYER, 1), TOKEN, LEASE_MS)
        assert isinstance(answer, Claimed)
        made.append((due, time.time() - due))

    due = time.time()
    async with asyncio.TaskGroup() as claims:
        while not ended.done():
            claims.create_task(claim(due))
            due += 1 / RATE
            await asyncio.wait([ended], timeout=max(0, due - time.time()))
    await services.close()
    return made


if __name__ == "__main__":
    _, redis_url, database_url, product = sys.argv
    done = uvloop.run(claim_steadily(Settings(redis_url, database_url), product))
    print(json.dumps(done))  # noqa: T201
