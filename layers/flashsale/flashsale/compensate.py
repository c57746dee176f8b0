"""Use case of the rollback function: what happens to orders that PostgreSQL would not take."""

from collections.abc import Sequence

from flashsale.batch import Message, Outcome, decode, release
from flashsale.bootstrap import Services
from flashsale.errors import OrderRejected, ServiceUnavailable
from flashsale.failures import Failure
from flashsale.messages import Order
from flashsale.model import V5, OrderStatus, split_order_id

REASON = "the order could not be written; see the logs of its correlation id"


async def compensate(services: Services, messages: Sequence[Message]) -> Outcome:
    """Cancel each order in PostgreSQL, and only then give its units back, once.

    An order that is CONFIRMED after all keeps its units. Without PostgreSQL's answer nothing is
    released: an order function that still runs could confirm the order, and the unit would be sold
    twice. An order whose id is another order's gets no row: its claim is released if the ledger has
    it, else its message stays for people. Safe to repeat. A failure means that SQS must deliver the
    message again.
    """
    outcome = Outcome()
    orders = decode(messages, outcome)
    causes = await services.failures.causes(list(orders))
    for message_id, some in orders.items():
        try:
            await _cancel_all(services, some, causes.get(message_id, REASON), outcome)
        except (ServiceUnavailable, OrderRejected) as error:
            outcome.failures.append(Failure(message_id, str(error)))
    await services.failures.remember(outcome.failures)
    return outcome


async def _cancel_all(
    services: Services, orders: Sequence[Order], reason: str, outcome: Outcome
) -> None:
    """Cancel the orders of one message; one that cannot be does not keep the others."""
    rejected = None
    for order in orders:
        try:
            await _cancel(services, order, reason, outcome)
        except OrderRejected as error:
            rejected = error
    if rejected:
        raise rejected


async def _cancel(services: Services, order: Order, reason: str, outcome: Outcome) -> None:
    status = await services.orders.cancel(order, reason)
    if status is None:
        await _release_claim_of(services, order, outcome)
    elif status is OrderStatus.CONFIRMED:
        if order.generation == V5:
            await services.ledger.settle(order.product_id, [order])
        outcome.confirmed.append(order)
    else:
        # If this process dies here, the message comes again: the row stands, the release follows.
        await release(services, order, outcome)


async def _release_claim_of(services: Services, order: Order, outcome: Outcome) -> None:
    """Release the units of an order that cannot be written, as its id is another order's.

    Only if the ledger has this very claim: an entry of that id may be the other order's, which is
    CONFIRMED and not settled yet.
    """
    claim = await services.ledger.find(*split_order_id(order.id))
    if claim is None or claim.model_copy(update={"correlation_id": order.correlation_id}) != order:
        raise OrderRejected(f"another order has the id {order.id}")
    await release(services, order, outcome)
    outcome.conflicts.append(order)
