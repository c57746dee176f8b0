"""A batch of queue messages, and what becomes of it; shared by the order and rollback functions.

A batch is worked off in parts, each with its own commits: what is done stays done when the time is
over, so that each receive of the same messages finds less to do, and their last one none.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flashsale.deadline import Deadline
from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.domain.model import V5, OrderStatus
from flashsale.errors import (
    DatabaseUnavailable,
    InvalidMessage,
    OrderRejected,
    OutOfTime,
    ServiceUnavailable,
)
from flashsale.redis_store.failures import Failure
from flashsale.services import Services

# Half of the largest batch, ten envelopes of 200 claims. Fewer cost commits, more cost progress.
ORDERS_PER_PART = 1000
# Seconds in which the causes of failures are kept, or are not.
REMEMBERING = 0.5
NO_TIME = "no time left: a store answers slowly, or not at all"
# Characters: a cause is logged, kept in Redis, and written to PostgreSQL as a reason.
LONGEST_CAUSE = 1000

# OrdersByMessage by message id.
OrdersByMessage = Mapping[str, list[QueuedOrder]]
Statuses = Mapping[str, OrderStatus]
# Works off some messages of a batch. May raise OrderRejected if nothing at all was written.
Step = Callable[[OrdersByMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """An SQS message as a function receives it."""

    id: str
    body: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch: its orders, and the messages that must come again.

    Attributes:
        orders: all orders of the batch, by message id.
        done: ids of the messages that need not come again.
        sent_alone: orders that were taken out of their envelope, to fail apart from the others.
        conflicts: cancelled orders without a row, as their id is another order's.
        released: units that went back to the stock.

    """

    orders: dict[str, list[QueuedOrder]] = field(default_factory=dict)

    done: set[str] = field(default_factory=set)
    confirmed: list[QueuedOrder] = field(default_factory=list)
    cancelled: list[QueuedOrder] = field(default_factory=list)
    sent_alone: list[QueuedOrder] = field(default_factory=list)
    conflicts: list[QueuedOrder] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    released: int = 0

    def fail(self, message_ids: Iterable[str], cause: str) -> None:
        """These messages must come again, except those that are done or have failed already."""
        over = self.done | {failure.message_id for failure in self.failures}
        self.failures += [
            Failure(id_, cause[:LONGEST_CAUSE]) for id_ in message_ids if id_ not in over
        ]


async def process_in_parts(
    services: Services,
    messages: Sequence[ReceivedMessage],
    deadline: Deadline,
    step_of: Callable[[Outcome], Step],
) -> Outcome:
    """Work off a batch, part by part, until it is done or its time is over.

    If PostgreSQL refuses a part, each of its messages is worked off on its own. What is not done in
    time is a failure, so that SQS delivers it again. Some of the first part's work is always begun.
    """
    outcome = Outcome()
    _decode(messages, outcome)
    with suppress(OutOfTime):
        await deadline.bound(_in_parts(step_of(outcome), outcome, deadline))
    outcome.fail(outcome.orders, NO_TIME)
    with suppress(OutOfTime):
        failures = [*outcome.failures, *_by_order(outcome)]
        await Deadline.after(REMEMBERING).bound(services.failures.remember(failures))
    return outcome


def _by_order(outcome: Outcome) -> Iterator[Failure]:
    """Yield the failures of V4's orders by order id: their buyers can hear that they are PENDING.

    A claim of V5 is PENDING as long as it is in the ledger.
    """
    for failure in outcome.failures:
        for order in outcome.orders.get(failure.message_id, []):
            if order.generation != V5:
                yield Failure(order.id, failure.cause)


def _decode(messages: Sequence[ReceivedMessage], outcome: Outcome) -> None:
    for message in messages:
        try:
            outcome.orders[message.id] = orders_of_message(message.body)
        except InvalidMessage as error:
            outcome.fail([message.id], str(error))


async def _in_parts(step: Step, outcome: Outcome, deadline: Deadline) -> None:
    for number, part in enumerate(_parts(outcome.orders)):
        if number and deadline.near:
            return
        try:
            try:
                await step(part)
            except OrderRejected:
                await _one_by_one(step, part, outcome, deadline)
        except DatabaseUnavailable as error:
            # For all of them: some timeouts in a row outlast the function.
            outcome.fail(outcome.orders, str(error))
            return
        except ServiceUnavailable as error:
            outcome.fail(part, str(error))


def _parts(orders: OrdersByMessage) -> Iterator[OrdersByMessage]:
    part: dict[str, list[QueuedOrder]] = {}
    for message_id, some in orders.items():
        if part and sum(map(len, part.values())) + len(some) > ORDERS_PER_PART:
            yield part
            part = {}
        part[message_id] = some
    if part:
        yield part


async def _one_by_one(
    step: Step, part: OrdersByMessage, outcome: Outcome, deadline: Deadline
) -> None:
    for message_id, some in part.items():
        if deadline.near:
            return
        try:
            await step({message_id: some})
        except OrderRejected as error:
            outcome.fail([message_id], str(error))


async def settle_or_release(
    services: Services, part: OrdersByMessage, statuses: Statuses, outcome: Outcome
) -> None:
    """Bring Redis in line with what PostgreSQL says of these orders, by product, at once.

    A confirmed claim of V5 is settled, the units of a cancelled order are given back, once. Where
    Redis does not do that, the messages of the product fail. If this process dies before it, they
    come again, their rows stand, and this follows then.
    """
    by_product: dict[str, dict[str, list[QueuedOrder]]] = defaultdict(dict)
    for message_id, some in part.items():
        by_product[some[0].product_id][message_id] = some
    await asyncio.gather(
        *(
            _settle_or_release_product(services, id_, some, statuses, outcome)
            for id_, some in by_product.items()
        )
    )


async def _settle_or_release_product(
    services: Services, product_id: str, part: OrdersByMessage, statuses: Statuses, outcome: Outcome
) -> None:
    ended: dict[tuple[OrderStatus, bool], list[QueuedOrder]] = defaultdict(list)
    for order in (order for some in part.values() for order in some):
        if status := statuses.get(order.id):
            ended[status, order.generation == V5].append(order)
    for (status, on_ledger), orders in ended.items():
        try:
            if status is OrderStatus.CANCELLED:
                store = services.ledger if on_ledger else services.stock
                released = await store.release(product_id, orders)
                outcome.released += released  # apart, because others add to it meanwhile
                outcome.cancelled += orders
            else:
                await services.ledger.settle(product_id, orders if on_ledger else [])
                outcome.confirmed += orders
        except ServiceUnavailable as error:
            ids = {order.id for order in orders}
            outcome.fail([m for m, some in part.items() if ids & {o.id for o in some}], str(error))
