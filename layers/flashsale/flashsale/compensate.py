"""Use case of the rollback function: what happens to orders that PostgreSQL would not take."""

from collections.abc import Sequence

from flashsale.batch import Message, Outcome, decode, release
from flashsale.bootstrap import Services
from flashsale.errors import OrderRejected, ServiceUnavailable
from flashsale.failures import Failure
from flashsale.messages import Order
from flashsale.model import V5, OrderStatus

REASON = "the order could not be written; see the logs of its correlation id"


async def compensate(services: Services, messages: Sequence[Message]) -> Outcome:
    """Cancel each order in PostgreSQL, and only then give its units back, once.

    An order that is CONFIRMED after all keeps its units. Without PostgreSQL's answer nothing is
    released: an order function that still runs could confirm the order, and the unit would be sold
    twice. Safe to repeat. A failure means that SQS must deliver the message again.
    """
    outcome = Outcome()
    orders = decode(messages, outcome)
    causes = await services.failures.causes(list(orders))
    for message_id, some in orders.items():
        try:
            for order in some:
                await _cancel(services, order, causes.get(message_id, REASON), outcome)
        except (ServiceUnavailable, OrderRejected) as error:
            outcome.failures.append(Failure(message_id, str(error)))
    await services.failures.remember(outcome.failures)
    return outcome


async def _cancel(services: Services, order: Order, reason: str, outcome: Outcome) -> None:
    if await services.orders.cancel(order, reason) is OrderStatus.CONFIRMED:
        if order.generation == V5:
            await services.ledger.settle(order.product_id, [order])
        outcome.confirmed.append(order)
    else:
        # If this process dies here, the message comes again: the row stands, the release follows.
        await release(services, order, outcome)
