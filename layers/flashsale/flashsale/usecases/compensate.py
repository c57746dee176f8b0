"""Use case of the rollback function: cancel the orders that could not be written."""

from collections.abc import Sequence
from functools import partial

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import split_order_id
from flashsale.services import Services
from flashsale.usecases.batch import (
    OrdersByMessage,
    Outcome,
    ReceivedMessage,
    Step,
    process_in_parts,
    settle_or_release,
)

REASON = "the order could not be written; see the logs of its correlation id"


async def compensate(
    services: Services, messages: Sequence[ReceivedMessage], deadline: Deadline = NEVER
) -> Outcome:
    """Cancel the orders in PostgreSQL, and only then give their units back, once.

    An order that is CONFIRMED after all keeps its units. While PostgreSQL is down, nothing is
    released: an order function that still runs could confirm the order, and the unit would be sold
    twice. An order whose id another order has gets no row. Its claim is released if it is in the
    ledger; otherwise its message stays for the operator. The use case is idempotent, and may be
    abandoned at any line. A failure means that SQS must deliver the message again.
    """

    def step_of(outcome: Outcome) -> Step:
        return partial(_cancel, services, outcome)

    return await process_in_parts(services, messages, deadline, step_of)


async def _cancel(services: Services, outcome: Outcome, part: OrdersByMessage) -> None:
    causes = await services.failures.causes(list(part))
    reasons = [causes.get(message_id, REASON) for message_id, chunk in part.items() for _ in chunk]
    orders = [order for chunk in part.values() for order in chunk]
    statuses = await services.orders.cancel_unless_confirmed(orders, reasons)
    await settle_or_release(services, part, statuses, outcome)
    for message_id, chunk in part.items():
        for order in chunk:
            if order.id not in statuses and not await _release_claim_of(services, order, outcome):
                outcome.fail(
                    [message_id],
                    f"no product {order.product_id!r}, or another order has the id {order.id}",
                )
    outcome.done |= part.keys() - {failure.message_id for failure in outcome.failures}


async def _release_claim_of(services: Services, order: QueuedOrder, outcome: Outcome) -> bool:
    """Release the claim of an order that cannot be written, because another order has its id.

    Return False unless the ledger has exactly this claim. An entry with that id may belong to the
    other order, which is CONFIRMED and not settled yet.
    """
    claim = await services.ledger.get(*split_order_id(order.id))
    if claim is None or claim.model_copy(update={"correlation_id": order.correlation_id}) != order:
        return False
    outcome.released += await services.ledger.release(order.product_id, [order])
    outcome.cancelled.append(order)
    outcome.conflicts.append(order)
    return True
