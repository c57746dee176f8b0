"""The relay of V5, which sends claims from the ledger to SQS, and the sweep, which resends them.

A lease in Redis decides which process relays: the claimer that gets it becomes the leader and
relays all claims of the product. A claim is not removed when SQS accepts it. It leaves the ledger
when its order is settled or released.
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
from flashsale.domain.messages import CLAIMS_PER_ENVELOPE, MESSAGES_PER_CALL, Envelope, QueuedOrder
from flashsale.errors import DatabaseUnavailable, PushRefused, QueueUnavailable, StockUnavailable
from flashsale.services import Services

# Identifies this process in the lease.
TOKEN = f"{os.getpid()}-{uuid4().hex[:12]}"
# A dead leader is replaced after this time. A live one renews its lease well before.
LEASE_MS = 3_000

# The longest pause in seconds while SQS rejects. The leader renews its lease in between.
LONGEST_PAUSE = 1.0
# Seconds after which SQS has moved an unprocessed message to the DLQ: five receives, a minute each.
PATIENCE = 300

CLAIMS_PER_CALL = CLAIMS_PER_ENVELOPE * MESSAGES_PER_CALL


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a leader relays, in seconds.

    Attributes:
        linger: the pause before the next read, so that batches grow under load.
        bound: the time after which it hands the lease over to the next claimer, because its own
            buyer waits (behind Mangum the response leaves after the background task has ended).
        stops_alone: whether it stops at once after a call with one claim. Then a lone buyer does
            not wait for company.

    """

    linger: float
    bound: float
    stops_alone: bool = False


LAMBDA_PACE = Pace(linger=0.02, bound=0.25, stops_alone=True)
ASGI_PACE = Pace(linger=0.1, bound=10.0)
# No buyer waits for a relay process, so it never hands over.
PROCESS_PACE = Pace(linger=0.1, bound=math.inf)

logger = logging.getLogger(__name__)


async def lead(services: Services, product_id: str, pace: Pace) -> None:
    """Act as the leader: hand over to the relay process, if one runs, or relay.

    Raise nothing: the claims are in the ledger, and the sweep sends those that stay there.
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
    """Relay until there are no unsent claims, or another process relays; return the claims sent.

    The caller holds the lease. A leader stops in three cases only: a script saw no unsent claim and
    freed the lease in the same step, another process holds the lease, or it had to hand over while
    SQS accepted nothing. What SQS rejects is retried with a growing pause. What SQS may have
    accepted is sent once more, and then left to the sweep.
    """
    sent, orders, bound = 0, list[QueuedOrder](), time.monotonic() + pace.bound
    refused = uncertain = 0
    while True:
        if not orders:  # what SQS did not accept is retried first
            orders = await services.ledger.take_unsent(product_id, CLAIMS_PER_CALL)
            _log_sending(orders)
        pause = 0.0 if len(orders) == CLAIMS_PER_CALL else pace.linger
        may_stop = not orders
        if orders:
            match await send(services, orders):
                case SendResult.ACCEPTED:
                    if pace.stops_alone and len(orders) == 1:
                        may_stop, pause = True, 0.0
                    sent, orders, refused, uncertain = sent + len(orders), [], 0, 0
                case SendResult.REFUSED:
                    pause, refused = min(pace.linger * 2**refused, LONGEST_PAUSE), refused + 1
                case SendResult.UNKNOWN if uncertain:
                    orders, uncertain = [], 0
                case SendResult.UNKNOWN:
                    pause, uncertain = pace.linger, 1
        if may_stop and await services.ledger.drop_lease(product_id, TOKEN):
            return sent
        if time.monotonic() > bound:
            # A claimer takes the lease during the pause. If there is none, go on.
            await services.ledger.renew_lease(product_id, TOKEN, 0)
            if orders:
                return sent
            bound = time.monotonic() + pace.bound
        await asyncio.sleep(pause)
        if not await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            return sent


def _log_sending(orders: Sequence[QueuedOrder]) -> None:
    """Log the claims before they are sent. Later, the order function could log them first.

    The first and the last entry name all of them, because the ledger is read without gaps.
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
    """Resend the claims that have stayed unsettled too long; return how many.

    It repairs what a dead leader left, a purged queue, and an order function that died before it
    settled. Sending a claim twice is harmless, because the order id is the primary key.

    Args:
        idle_ms: milliseconds since the last send after which a claim is overdue, whatever waits in
            the queues. By default `_resend_delays` decides.
        product_ids: the products to sweep; by default all on sale.
        deadline: it stops then, between two calls to SQS. The next sweep sends the rest.

    """
    swept, delays = 0, await _resend_delays(services) if idle_ms is None else [idle_ms]
    ids = await services.stock.list_sales() if product_ids is None else list(product_ids)
    # In random order, so that the deadline does not cut off the same products each minute.
    for product_id in random.sample(ids, len(ids)):
        swept += await _send_overdue(services, product_id, delays, deadline) if delays else 0
        if deadline.near:
            logger.warning("the sweep stops at %s: its deadline has passed", product_id)
            break
        if await services.ledger.renew_lease(product_id, TOKEN, LEASE_MS):
            # These are not counted: a healthy sale also has unsent claims at any moment.
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
    """Return how long a claim that was sent once, twice, … may stay unsettled, in milliseconds.

    - While SQS is down, nothing is resent: the list is empty.
    - While PostgreSQL is down, a claim is resent when SQS has moved the earlier message to the DLQ.
      So one message waits in the orders queue when PostgreSQL is back, and is written.
    - While messages wait for a function, those of an unsettled claim may be among them. After two
      messages, another one follows each time that SQS has moved one to the DLQ.
    - With empty queues the messages are lost, and `PATIENCE` is the longest pause.
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
    """Whether SQS has the claims that were sent to it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


async def send(services: Services, orders: Sequence[QueuedOrder]) -> SendResult:
    """Send claims of one product to SQS."""
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
