"""Use case of the order function: write a batch of queued orders to PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flashsale.batch import Message, Outcome, decode, release
from flashsale.bootstrap import Services
from flashsale.errors import OrderRejected, ServiceUnavailable
from flashsale.failures import Failure
from flashsale.messages import Envelope, Order
from flashsale.model import V5, OrderStatus

Messages = Mapping[str, list[Order]]
Statuses = Mapping[str, OrderStatus]


async def place_orders(services: Services, messages: Sequence[Message]) -> Outcome:
    """Write all orders in one transaction; if PostgreSQL refuses it, each message in its own.

    Safe to repeat with the same messages, in any order, at the same time elsewhere. A failure
    means that SQS must deliver the message again.
    """
    outcome = Outcome()
    orders = decode(messages, outcome)
    try:
        await _place(services, orders, outcome)
    except OrderRejected:
        for message_id in orders:
            await _place_alone(services, {message_id: orders[message_id]}, outcome)
    await services.failures.remember(outcome.failures)
    return outcome


async def _place_alone(services: Services, orders: Messages, outcome: Outcome) -> None:
    try:
        await _place(services, orders, outcome)
    except OrderRejected as error:
        outcome.failures += [Failure(message_id, str(error)) for message_id in orders]


async def _place(services: Services, orders: Messages, outcome: Outcome) -> None:
    try:
        statuses = await services.orders.confirm([o for some in orders.values() for o in some])
        # From here on the orders exist. If this process dies, the messages come again, the insert
        # finds them, and their claims are closed then.
        await _settle(services, orders, statuses)
    except ServiceUnavailable as error:
        outcome.failures += [Failure(message_id, str(error)) for message_id in orders]
        return
    for message_id, some in orders.items():
        try:
            await _close(services, some, statuses, outcome)
        except (ServiceUnavailable, OrderRejected) as error:
            outcome.failures.append(Failure(message_id, str(error)))


async def _settle(services: Services, orders: Messages, statuses: Statuses) -> None:
    """Close the V5 claims of all confirmed orders, one script a product."""
    by_product: dict[str, list[Order]] = defaultdict(list)
    for some in orders.values():
        for order in some:
            if order.generation == V5 and statuses.get(order.id) is OrderStatus.CONFIRMED:
                by_product[order.product_id].append(order)
    for product_id, confirmed in by_product.items():
        await services.ledger.settle(product_id, confirmed)


async def _close(
    services: Services, orders: list[Order], statuses: Statuses, outcome: Outcome
) -> None:
    for order in orders:
        match statuses.get(order.id):
            case OrderStatus.CONFIRMED:
                outcome.confirmed.append(order)
            case OrderStatus.CANCELLED:
                await release(services, order, outcome)
            case None if len(orders) > 1:
                # One bad claim in an envelope travels on alone, so that it fails alone.
                await services.order_queue.send([Envelope.of([order])])
                outcome.sent_alone.append(order)
            case None:
                raise OrderRejected(
                    f"no user {order.user_id!r}, or no product {order.product_id!r}, "
                    f"or another order has the id {order.id}"
                )
