"""Use case of the order function: write a batch of queued orders to PostgreSQL."""

from collections.abc import Sequence
from functools import partial

from flashsale.chunks import chunks
from flashsale.deadline import NEVER, Deadline
from flashsale.domain.messages import MESSAGES_PER_CALL, Envelope, QueuedOrder
from flashsale.errors import QueueUnavailable
from flashsale.services import Services
from flashsale.usecases.batch import (
    OrdersByMessage,
    Outcome,
    ReceivedMessage,
    Statuses,
    Step,
    process_in_parts,
    settle_or_release,
)


async def place_orders(
    services: Services, messages: Sequence[ReceivedMessage], deadline: Deadline = NEVER
) -> Outcome:
    """Write all orders, up to a thousand per transaction.

    If PostgreSQL rejects a transaction, each of its messages is written alone. The use case is
    idempotent, may run concurrently with the same messages, and may be abandoned at any line. A
    failure means that SQS must deliver the message again.
    """

    def step_of(outcome: Outcome) -> Step:
        return partial(_place, services, outcome)

    return await process_in_parts(services, messages, deadline, step_of)


async def _place(services: Services, outcome: Outcome, part: OrdersByMessage) -> None:
    statuses = await services.orders.write_batch(
        [order for orders in part.values() for order in orders]
    )
    # The orders exist from here on. If this process dies, SQS delivers the messages again. The
    # insert then finds the rows, and their claims are closed.
    await settle_or_release(services, part, statuses, outcome)
    await _send_unknown_on(services, part, statuses, outcome)


async def _send_unknown_on(
    services: Services, part: OrdersByMessage, statuses: Statuses, outcome: Outcome
) -> None:
    """Let orders without a known user or product fail, apart from the others in their envelope.

    A message of such orders only fails as it is. A mixed envelope is replaced by an envelope of its
    unknown orders. Each replacement is smaller than the one before, so this ends.
    """
    failed = {failure.message_id for failure in outcome.failures}
    mixed: dict[str, list[QueuedOrder]] = {}
    for message_id, orders in part.items():
        if message_id in failed:
            continue
        unknown = [order for order in orders if order.id not in statuses]
        if not unknown:
            outcome.done.add(message_id)
        elif len(unknown) < len(orders):
            mixed[message_id] = unknown
        else:
            outcome.fail([message_id], _why(unknown[0]))
    for ids in chunks(list(mixed), MESSAGES_PER_CALL):
        try:
            await services.order_queue.send([Envelope.of(mixed[id_]) for id_ in ids])
        except QueueUnavailable as error:
            outcome.fail(ids, str(error))
            continue
        outcome.done |= set(ids)
        outcome.sent_alone += [order for id_ in ids for order in mixed[id_]]


def _why(order: QueuedOrder) -> str:
    return (
        f"no user {order.user_id!r}, or no product {order.product_id!r}, "
        f"or another order has the id {order.id}"
    )
