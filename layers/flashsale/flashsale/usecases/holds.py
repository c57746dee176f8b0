"""Use cases of payment holds: pay them, let them expire, and bring Redis in line.

PostgreSQL decides first, by compare-and-set on the status of the order. Redis follows. A process
that dies in between leaves units held in Redis, and the sweep asks PostgreSQL of them later.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus
from flashsale.domain.payments import Decided, Payment
from flashsale.errors import QueueUnavailable, RowLocked
from flashsale.services import Services
from flashsale.usecases.provider_ends import cancel_attempts

logger = logging.getLogger(__name__)

# Holds that one call asks PostgreSQL of.
AT_A_TIME = 500
# Seconds from the end of a hold for which it waits, at most, while the queue of payments is behind
# and until its own payment is cancelled.
LONGEST_WAIT = 15 * 60
# Seconds until PostgreSQL is asked again of a hold that it has not ended.
ASK_AGAIN = 60
# Holds without an order that one line of the log names.
NAMED = 5
# Seconds in which the stores serve buyers only, after each transaction that expires holds.
# Otherwise the claims of buyers take twice as long while thousands of holds end at once.
REST = 0.04


async def pay(services: Services, payment: Payment) -> Decided:
    """Apply a payment that succeeded at the provider, and settle the claim that it paid.

    Idempotent: the message of a payment may come any number of times.
    """
    decided = await services.payments.apply(payment)
    await _settle(services, [decided])
    return decided


async def expire_holds(
    services: Services, product_ids: Sequence[str] | None = None, deadline: Deadline = NEVER
) -> int:
    """Expire the holds that were not paid in time; return how many units went back to the stock.

    Payments that waited for their order come first. Then begun payments are cancelled at the
    provider. A hold expires `hold_grace` seconds after its end, or `LONGEST_WAIT` seconds while the
    queue of payments is behind, or while its own payment is not cancelled. It does not wait for a
    payment that is being made, whose end nobody knows: if that succeeds, it is refunded. A product
    whose row another transaction keeps is left to the next call. At last it asks PostgreSQL of all
    holds that should have ended, because the process that ended them may have died before it told
    Redis.

    Args:
        product_ids: by default all products. PostgreSQL is asked for due holds, so that none is
            missed after a loss of Redis.
        deadline: it stops then. The next call goes on.

    """
    await _settle(services, await services.payments.decide_waiting())
    in_progress = await _end_attempts(services, product_ids, deadline)
    patience = LONGEST_WAIT if services.provider else 0
    released, after = 0, services.settings.hold_grace
    due = await services.holds.list_due_products(product_ids, after)
    if due and await _queue_is_behind(services):
        after = LONGEST_WAIT
        due = await services.holds.list_due_products(product_ids, after)
    for product_id in due:
        expire = partial(services.holds.expire, product_id, after, patience, in_progress)
        try:
            while not deadline.near and (orders := await expire()):
                released += await services.ledger.release(product_id, orders)
                await asyncio.sleep(REST)
        except RowLocked as error:
            logger.warning("holds of %s stay until the next sweep: %s", product_id, error)
    on_sale = await services.stock.list_sales() if product_ids is None else product_ids
    # In random order, so that the deadline does not cut off the same products each time.
    for product_id in random.sample(on_sale, len(on_sale)):
        if deadline.near:
            break
        released += await _reconcile(services, product_id)
    return released


async def _end_attempts(
    services: Services, product_ids: Sequence[str] | None, deadline: Deadline
) -> Sequence[str]:
    """Cancel begun payments whose hold has ended; return the ids of those that are being made.

    Those that succeeded are applied, as a webhook does.
    """
    attempts = await cancel_attempts(services, product_ids, deadline)
    for payment in attempts.paid:
        await pay(services, payment)
        await services.payment_attempts.forget([payment.id])
    return attempts.in_progress


async def _queue_is_behind(services: Services) -> bool:
    """Return whether a payment may be in the queue since before the holds that are due ended.

    They ended `hold_grace` seconds ago. So the queue is behind if it has more payments than were
    taken from it since then, or if SQS does not tell. In a busy sale it is rarely empty, and not
    behind. That is a courtesy: a payment that comes too late is refunded.
    """
    url, grace = services.settings.payments_queue_url, services.settings.hold_grace
    try:
        waiting = await services.order_queue.waiting(url) if url else 0
    except QueueUnavailable as error:
        logger.warning("holds stay, as payments may be waiting: %s", error)
        return True
    return bool(waiting) and await services.payments.count_taken(grace, waiting) < waiting


async def _settle(services: Services, decided: Sequence[Decided]) -> None:
    by_product: dict[str, list[QueuedOrder]] = defaultdict(list)
    for one in decided:
        if one.order:
            by_product[one.order.product_id].append(one.order)
    for product_id, orders in by_product.items():
        await services.ledger.settle(product_id, orders)


async def _reconcile(services: Services, product_id: str) -> int:
    """Ask PostgreSQL what became of the holds that should have ended, and close them.

    A hold without a row stays: PostgreSQL was restored from a backup, and the operator decides.
    """
    due = await services.held_claims.list_due(product_id, AT_A_TIME)
    if not due:
        return 0
    by_status: dict[OrderStatus, list[QueuedOrder]] = defaultdict(list)
    found = await services.holds.what_became_of(list(due.values()))
    for order, written in found:
        by_status[written.status].append(order)
    if missing := sorted(set(due.values()) - {order.id for order, _ in found}):
        message = "%d holds of %s have no order in PostgreSQL, such as %s"
        logger.warning(message, len(missing), product_id, ", ".join(missing[:NAMED]))
    released = 0
    if paid := by_status[OrderStatus.CONFIRMED]:
        await services.ledger.settle(product_id, paid)
    if expired := by_status[OrderStatus.EXPIRED]:
        released += await services.ledger.release(product_id, expired)
    for order in by_status[OrderStatus.CANCELLED]:
        released += order.quantity * await services.ledger.give_back(order)
    # Those that are closed are no members any more.
    await services.held_claims.ask_again(product_id, list(due), ASK_AGAIN)
    return released
