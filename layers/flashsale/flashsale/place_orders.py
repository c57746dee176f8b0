"""Use case of the order function: write a batch of queued orders to PostgreSQL."""

from collections.abc import Mapping, Sequence

from flashsale.batch import Message, Outcome, decode, release
from flashsale.bootstrap import Services
from flashsale.errors import OrderRejected, ServiceUnavailable
from flashsale.failures import Failure
from flashsale.model import Order, OrderStatus


async def place_orders(services: Services, messages: Sequence[Message]) -> Outcome:
    """Write all orders in one transaction; if one of them is bad, each in its own.

    Safe to repeat with the same messages, in any order, at the same time elsewhere. A failure
    means that SQS must deliver the message again.
    """
    outcome = Outcome()
    orders = decode(messages, outcome)
    try:
        statuses = await services.orders.confirm(list(orders.values()))
        await _close(services, orders, statuses, outcome)
    except ServiceUnavailable as error:
        outcome.failures += [Failure(message_id, str(error)) for message_id in orders]
    except OrderRejected:
        for message_id, order in orders.items():
            await _place_alone(services, message_id, order, outcome)
    await services.failures.remember(outcome.failures)
    return outcome


async def _place_alone(services: Services, message_id: str, order: Order, outcome: Outcome) -> None:
    try:
        statuses = await services.orders.confirm([order])
    except (ServiceUnavailable, OrderRejected) as error:
        outcome.failures.append(Failure(message_id, str(error)))
    else:
        await _close(services, {message_id: order}, statuses, outcome)


async def _close(
    services: Services,
    orders: dict[str, Order],
    statuses: Mapping[str, OrderStatus],
    outcome: Outcome,
) -> None:
    for message_id, order in orders.items():
        if statuses[order.id] is OrderStatus.CONFIRMED:
            outcome.confirmed.append(order)
        else:
            await release(services, message_id, order, outcome)
