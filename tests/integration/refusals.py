"""Purchases of every generation, for tests of what a process refuses by itself."""

import uuid
from collections import Counter

from flashsale.domain.claims import Claim, Claimed
from tests.helpers.support import USERS


class Clock:
    """Stands still until a test moves it."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds, self.seconds


async def buy(services, product_id, generation, quantity=1, user=USERS[0], key=""):
    """Return why nothing was sold, or the id of the order or claim."""
    if generation == 5:
        claim = Claim(product_id, user, quantity, key)
        answer = await services.ledger.claim(claim, "me", 60_000)
        return answer.order_id if isinstance(answer, Claimed) else answer
    answer = await services.stock.decrement(product_id, quantity, generation)
    return uuid.uuid4().hex if isinstance(answer, int) else answer


async def commands(services):
    """Return how often Redis ran each command, also those of scripts."""
    stats = await services.redis.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
    return Counter(calls) - Counter(info=calls.get("info", 0))
