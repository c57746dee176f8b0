"""A batch of queue messages, and what becomes of it; shared by the order and rollback functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flashsale.bootstrap import Services
from flashsale.errors import InvalidMessage
from flashsale.failures import Failure
from flashsale.messages import Order, orders_of_message
from flashsale.model import V5
from flashsale.stock import Release


@dataclass(frozen=True, slots=True)
class Message:
    """An SQS message as a function receives it."""

    id: str
    body: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch: its orders, and the messages that must come again.

    Attributes:
        orders: all orders of the batch, by message id.
        sent_alone: orders that were taken out of their envelope, to fail on their own.
        conflicts: cancelled orders without a row, as their id is another order's.
        released: units that went back to the stock.

    """

    orders: Mapping[str, list[Order]] = field(default_factory=dict)

    confirmed: list[Order] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)
    sent_alone: list[Order] = field(default_factory=list)
    conflicts: list[Order] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    released: int = 0


def decode(messages: Sequence[Message], outcome: Outcome) -> Mapping[str, list[Order]]:
    """The orders by message id; a message that holds none becomes a failure of `outcome`."""
    orders = {}
    for message in messages:
        try:
            orders[message.id] = orders_of_message(message.body)
        except InvalidMessage as error:
            outcome.failures.append(Failure(message.id, str(error)))
    outcome.orders = orders
    return orders


async def release(services: Services, order: Order, outcome: Outcome) -> None:
    """Give a cancelled order's units back, once.

    Raises:
        StockUnavailable: the message must come again.

    """
    if order.generation == V5:
        released = await services.ledger.release(order)
    else:
        released = await services.stock.release(order) is Release.RELEASED
    outcome.released += order.quantity if released else 0
    outcome.cancelled.append(order)
