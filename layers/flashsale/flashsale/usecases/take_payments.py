"""Use case of the payment function: apply a batch of queued payments."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flashsale.deadline import NEVER, Deadline
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.payment_messages import payment_of_message
from flashsale.domain.payments import Decided, Payment
from flashsale.errors import (
    DatabaseUnavailable,
    InvalidMessage,
    OrderRejected,
    OutOfTime,
    ServiceUnavailable,
)
from flashsale.services import Services
from flashsale.usecases.batch import NO_TIME, MessageResults, ReceivedMessage, remember


@dataclass(slots=True)
class Taken(MessageResults):
    """The result of a batch of payments.

    Attributes:
        payments: those of the batch, by message id.
        decided: the decisions that PostgreSQL has, by message id. Those of failed messages are
            among them if Redis did not follow.

    """

    payments: dict[str, Payment] = field(default_factory=dict)
    decided: dict[str, Decided] = field(default_factory=dict)


async def take_payments(
    services: Services, messages: Sequence[ReceivedMessage], deadline: Deadline = NEVER
) -> Taken:
    """Apply each payment, and then settle the claims that they paid.

    A message that is no payment fails alone. The use case is idempotent, may run concurrently with
    the same messages, and may be abandoned at any line. A failure means that SQS must deliver the
    message again.
    """
    taken = Taken()
    with suppress(OutOfTime):
        await deadline.bound(_take(services, messages, taken, deadline))
    taken.fail((message.id for message in messages), NO_TIME)
    await remember(services, taken.failures)
    return taken


async def _take(
    services: Services, messages: Sequence[ReceivedMessage], taken: Taken, deadline: Deadline
) -> None:
    for number, message in enumerate(messages):
        if number and deadline.near:
            break
        try:
            taken.payments[message.id] = payment_of_message(message.body)
            taken.decided[message.id] = await services.payments.apply(taken.payments[message.id])
        except (InvalidMessage, OrderRejected) as error:
            taken.fail([message.id], str(error))
        except DatabaseUnavailable as error:
            # Several timeouts in a row would outlast the function.
            taken.fail((rest.id for rest in messages[number:]), str(error))
            break
    await _settle(services, taken)


async def _settle(services: Services, taken: Taken) -> None:
    by_product: dict[str, dict[str, QueuedOrder]] = defaultdict(dict)
    for message_id, decided in taken.decided.items():
        if decided.order:
            by_product[decided.order.product_id][message_id] = decided.order
        else:
            taken.done.add(message_id)
    for product_id, orders in by_product.items():
        try:
            await services.ledger.settle(product_id, list(orders.values()))
            taken.done |= orders.keys()
        except ServiceUnavailable as error:
            taken.fail(orders, str(error))
