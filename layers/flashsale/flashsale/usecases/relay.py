"""The relay of V5: carries claims from the ledger to SQS, and the sweep, which does so again.

Who relays is decided by a lease in Redis: the claimer that gets it relays for everybody. Nothing is
acknowledged when SQS accepts: a claim leaves the ledger when its order is settled or released.
"""

import asyncio
import logging
import math
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import uuid4

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.messages import CLAIMS_PER_ENVELOPE, ENVELOPES_PER_CALL, Envelope, QueuedOrder
from flashsale.errors import DatabaseUnavailable, PushRefused, QueueUnavailable, StockUnavailable
from flashsale.services import Services

# Names this process in the lease.
TOKEN = f"{os.getpid()}-{uuid4().hex[:12]}"
# A leader that died is replaced after this; it renews well before.
LEASE_MS = 3_000

# Seconds between two tries while SQS refuses, at most: a leader renews its lease in between.
LONGEST_PAUSE = 1.0
# Seconds after which SQS has given up a message that still waits: five receives, a minute each.
PATIENCE = 300

CLAIMS_PER_CALL = CLAIMS_PER_ENVELOPE * ENVELOPES_PER_CALL


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
# Nobody waits for a relay process, so it never hands over.
PROCESS_PACE = Pace(linger=0.1, bound=math.inf)

logger = logging.getLogger(__name__)


async def lead(services: Services, product_id: str, pace: Pace) -> None:
    """What a claimer does that got the lease: ask the relay process, if one runs, or relay itself.

    Raises nothing: the claims are in the ledger, and what stays there is swept.
    """
    try:
        if await services.relay_inbox.is_served():
            await services.ledger.renew_lease(product_id, TOKEN, 0)
            await services.relay_inbox.put(product_id)
        else:
            await relay(services, product_id, pace)
    except StockUnavailable as error:
        logger.warning("stopped relaying %s: %s", product_id, error)
    except Exception:
        logger.exception("stopped relaying %s", product_id)


async def relay(services: Services, product_id: str, pace: Pace) -> int:
    """Relay until nothing is unsent, or somebody else does; returns the claims that were sent.

    The caller holds the lease. A leader leaves only when a script saw no unsent claim and freed the
    lease in the same step, when another process holds it, or when it had to hand over while SQS
    took nothing. What SQS refuses is tried again, with a growing pause; what SQS may have taken is
    sent once more, and then left to the sweep.
    """
    sent, orders, bound = 0, list[QueuedOrder](), time.monotonic() + pace.bound
    refused = uncertain = 0
    while True:
        if not orders:  # what SQS did not take is tried again first
            orders = await services.ledger.take_unsent(product_id, CLAIMS_PER_CALL)
            _log_sending(orders)
        pause = 0.0 if len(orders) == CLAIMS_PER_CALL else pace.linger
        if orders:
            match await send(services, orders):
                case SendResult.ACCEPTED:
                    sent, orders, refused, uncertain = sent + len(orders), [], 0, 0
                case SendResult.REFUSED:
                    pause, refused = min(pace.linger * 2**refused, LONGEST_PAUSE), refused + 1
                case SendResult.UNKNOWN if uncertain:
                    orders, uncertain = [], 0
                case SendResult.UNKNOWN:
                    pause, uncertain = pace.linger, 1
        elif await services.ledger.drop_lease(product_id, TOKEN):
            return sent
        if time.monotonic() > bound:
            # Whoever claims during the pause takes the lease. If nobody does, go on.
            await services.ledger.renew_lease(product_id, TOKEN, 0)
            if orders:
                return sent
            bound = time.monotonic() + pace.bound
        await asyncio.sleep(pause)
        if not await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            return sent


def _log_sending(orders: Sequence[QueuedOrder]) -> None:
    """Log what is sent next. Not afterwards: the order function may be first to write a line then.

    Of what is read from the ledger nothing is left out between the first and the last entry.
    """
    if orders:
        count, product_id = len(orders), orders[0].product_id
        sending = {
            "product_id": product_id,
            "claims": count,
            "first_entry": orders[0].entry_id,
            "last_entry": orders[-1].entry_id,
        }
        logger.info(
            "sending %d claims of %s in one call", count, product_id, extra={"sending": sending}
        )


async def sweep(
    services: Services,
    idle_ms: int | None = None,
    product_ids: Sequence[str] | None = None,
    deadline: Deadline = NEVER,
) -> int:
    """Send again what has stayed unsettled too long; return how many claims that were.

    Repairs what a dead leader left, a queue that was purged, an order function that died before it
    settled. Sending twice is harmless: the order id is the primary key.

    Args:
        idle_ms: milliseconds since a claim was last sent that are too long, whatever waits in the
            queues; if not given, `_resend_delays` decides.
        product_ids: all on sale if not given.
        deadline: when it stops, between two calls to SQS. What is left is as overdue in the next
            minute, and what was sent is not.

    """
    swept, waits = 0, await _resend_delays(services) if idle_ms is None else [idle_ms]
    ids = await services.stock.list_sales() if product_ids is None else list(product_ids)
    # In any order, so that those on which no time was left are not the same each minute.
    for product_id in random.sample(ids, len(ids)):
        swept += await _send_overdue(services, product_id, waits, deadline) if waits else 0
        if deadline.near:
            logger.warning("the sweep stops at %s: its time is over", product_id)
            break
        if await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            # Not counted: in a healthy sale, too, claims are unsent at any moment.
            await relay(services, product_id, LAMBDA_PACE)
    return swept


async def _send_overdue(
    services: Services, product_id: str, waits_ms: Sequence[int], deadline: Deadline
) -> int:
    swept = 0
    async for orders in services.ledger.take_overdue(product_id, waits_ms, CLAIMS_PER_CALL):
        overdue = {"product_id": product_id, "entries": [order.entry_id for order in orders]}
        logger.warning(
            "%d claims of %s are overdue", len(orders), product_id, extra={"overdue": overdue}
        )
        swept += len(orders) if await send(services, orders) is SendResult.ACCEPTED else 0
        if deadline.near:
            break
    return swept


async def _resend_delays(services: Services) -> list[int]:
    """How long a claim that was sent once, twice, … may stay unsettled, in milliseconds.

    - While SQS does not answer, nothing is sent again: the list is empty.
    - While PostgreSQL does not answer, a copy follows when SQS has given up the one before. So one
      copy waits in the orders queue when PostgreSQL is back, and is written.
    - While messages wait for a function, the copies of a claim may be among them. After two copies
      one more follows each time that SQS has given up one.
    - With empty queues the copies are lost, and `PATIENCE` is the longest pause.
    """
    settings, queue = services.settings, services.order_queue
    first = settings.sweep_after * 1000
    patience = max(first, PATIENCE * 1000)
    try:
        messages = await queue.waiting()
        if settings.dead_letter_queue_url:
            messages += await queue.waiting(settings.dead_letter_queue_url)
    except QueueUnavailable as error:
        logger.warning("nothing is sent again while SQS is down: %s", error)
        return []
    try:
        await services.database.ping()
    except DatabaseUnavailable:
        return [patience]
    if messages:
        return [first, patience]
    return [first, *(min(first * 2**n, patience) for n in range(1, 6))]


class SendResult(Enum):
    """Whether SQS has what was sent to it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


async def send(services: Services, orders: Sequence[QueuedOrder]) -> SendResult:
    """Send claims of one product; return whether SQS has all of them."""
    envelopes = [
        Envelope.of(orders[start : start + CLAIMS_PER_ENVELOPE])
        for start in range(0, len(orders), CLAIMS_PER_ENVELOPE)
    ]
    try:
        await services.order_queue.send(envelopes)
    except QueueUnavailable as error:
        logger.warning("%d claims of %s wait: %s", len(orders), orders[0].product_id, error)
        return SendResult.REFUSED if isinstance(error, PushRefused) else SendResult.UNKNOWN
    return SendResult.ACCEPTED
