"""A batch of queue messages, and what becomes of it; shared by the order and rollback functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flashsale.bootstrap import Services
from flashsale.errors import InvalidMessage, ServiceUnavailable
from flashsale.failures import Failure
from flashsale.model import Order
from flashsale.stock import Release


@dataclass(frozen=True, slots=True)
class Message:
    """An SQS message as a function receives it."""

    id: str
    body: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch; every message is in `failures`, or its order in one of the others.

    `released` counts units that went back to the stock.
    """

    confirmed: list[Order] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    released: int = 0


def decode(messages: Sequence[Message], outcome: Outcome) -> dict[str, Order]:
    """The orders by message id; a message that is none becomes a failure of `outcome`."""
    orders = {}
    for message in messages:
        try:
            orders[message.id] = Order.from_message(message.body)
        except InvalidMessage as error:
            outcome.failures.append(Failure(message.id, str(error)))
    return orders


async def release(services: Services, message_id: str, order: Order, outcome: Outcome) -> None:
    """Give a cancelled order's units back, once; if Redis is down the message must come again."""
    try:
        if await services.stock.release(order) is Release.RELEASED:
            outcome.released += order.quantity
    except ServiceUnavailable as error:
        outcome.failures.append(Failure(message_id, str(error)))
    else:
        outcome.cancelled.append(order)
