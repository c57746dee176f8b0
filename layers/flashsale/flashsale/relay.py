"""The relay of V5: carries claims from the ledger to SQS, and the sweep, which does so again.

Who relays is decided by a lease in Redis: the claimer that gets it relays for everybody. Nothing is
acknowledged when SQS accepts: a claim leaves the ledger when its order is settled or released.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from flashsale.bootstrap import Services
from flashsale.errors import QueueUnavailable
from flashsale.model import Envelope, Order

# Names this process in the lease.
TOKEN = f"{os.getpid()}-{uuid4().hex[:12]}"
# A leader that died is replaced after this; it renews well before.
LEASE_MS = 3_000

# SQS takes 10 messages a call, 1 MiB in all; 200 claims stay far below 100 KB each.
CLAIMS_PER_ENVELOPE = 200
ENVELOPES_PER_CALL = 10
CLAIMS_PER_CALL = CLAIMS_PER_ENVELOPE * ENVELOPES_PER_CALL

# A claim that was sent this long ago and is still unsettled is sent again: more than an order
# usually takes, and more than one visibility timeout.
STALE_MS = 90_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a leader stays, in seconds.

    Attributes:
        linger: pause before the next look, so that batches grow under load.
        bound: after this it hands over to whoever claims next, because its own buyer waits
            (behind Mangum a background task ends before the answer leaves).

    """

    linger: float
    bound: float


LAMBDA_PACE = Pace(linger=0.02, bound=0.25)
ASGI_PACE = Pace(linger=0.1, bound=10.0)


async def relay(services: Services, product_id: str, pace: Pace) -> int:
    """Relay until nothing is unsent, or somebody else does; returns the claims that were sent.

    The caller holds the lease. A leader leaves only when a script saw no unsent claim and freed the
    lease in the same step, or when another process holds it.
    """
    sent, bound = 0, time.monotonic() + pace.bound
    while True:
        orders = await services.ledger.unsent(product_id, CLAIMS_PER_CALL)
        if orders:
            sent += await send(services, orders)
        elif await services.ledger.drop_lease(product_id, TOKEN):
            return sent
        if time.monotonic() > bound:
            # Whoever claims during the pause takes the lease. If nobody does, go on.
            bound = time.monotonic() + pace.bound
            await services.ledger.renew_lease(product_id, TOKEN, 0)
        if len(orders) < CLAIMS_PER_CALL:
            await asyncio.sleep(pace.linger)
        if not await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            return sent


async def sweep(services: Services) -> int:
    """Send again what has stayed unsettled too long, of all products; returns how many claims.

    Repairs what a dead leader left, a queue that was purged, an order function that died before it
    settled. Sending twice is harmless: the order id is the primary key.
    """
    swept = 0
    for product_id in await services.stock.sales():
        async for orders in services.ledger.stale(product_id, STALE_MS, CLAIMS_PER_CALL):
            swept += await send(services, orders)
        if await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            swept += await relay(services, product_id, LAMBDA_PACE)
    return swept


async def send(services: Services, orders: Sequence[Order]) -> int:
    """Send claims of one product; returns how many SQS took. The sweep sends the others again."""
    envelopes = [
        Envelope.of(orders[start : start + CLAIMS_PER_ENVELOPE])
        for start in range(0, len(orders), CLAIMS_PER_ENVELOPE)
    ]
    try:
        await services.order_queue.send(envelopes)
    except QueueUnavailable:
        return 0
    return len(orders)
