"""Processing of a batch of SQS messages, shared by the order and rollback functions.

A batch is processed in parts, and each part is committed. What is done stays done when the deadline
passes. So each receive of the same messages has less to do, and in the end nothing.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flashsale.deadline import Deadline
from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.domain.model import V5, OrderStatus, Written
from flashsale.errors import (
    DatabaseUnavailable,
    InvalidMessage,
    OrderRejected,
    OutOfTime,
    ServiceUnavailable,
)
from flashsale.redis_store.failures import Failure
from flashsale.services import Services

# Half of the largest batch, which is ten envelopes of 200 claims. Smaller parts cost more commits,
# larger parts lose more work at the deadline.
ORDERS_PER_PART = 1000
# Seconds for storing the causes of failures.
REMEMBERING = 0.5
NO_TIME = "no time left: a store responds slowly, or not at all"
# Characters. A cause is logged, stored in Redis, and written to PostgreSQL as a reason.
LONGEST_CAUSE = 1000

# Orders by message id, and what PostgreSQL says of orders by order id.
OrdersByMessage = Mapping[str, list[QueuedOrder]]
Statuses = Mapping[str, Written]
# Processes some messages of a batch. It may raise OrderRejected if it wrote nothing.
Step = Callable[[OrdersByMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """An SQS message as a function receives it."""

    id: str
    body: str


@dataclass(slots=True)
class Outcome:
    """The result of a batch: its orders, and the messages that SQS must deliver again.

    Attributes:
        orders: all orders of the batch, by message id.
        done: ids of the messages that SQS may delete.
        sent_alone: orders that were moved to an envelope of their own, to fail apart from the rest.
        conflicts: cancelled orders without a row, because another order has their id.
        reserved: orders that wait for their payment.
        cancelled: orders that are CANCELLED, or EXPIRED by now.
        released: units that went back to the stock.

    """

    orders: dict[str, list[QueuedOrder]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    confirmed: list[QueuedOrder] = field(default_factory=list)
    reserved: list[QueuedOrder] = field(default_factory=list)
    cancelled: list[QueuedOrder] = field(default_factory=list)
    sent_alone: list[QueuedOrder] = field(default_factory=list)
    conflicts: list[QueuedOrder] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    released: int = 0

    def fail(self, message_ids: Iterable[str], cause: str) -> None:
        """Mark messages as failed, except those that are done or have already failed."""
        ended = self.done | {failure.message_id for failure in self.failures}
        self.failures += [
            Failure(id_, cause[:LONGEST_CAUSE]) for id_ in message_ids if id_ not in ended
        ]


async def process_in_parts(
    services: Services,
    messages: Sequence[ReceivedMessage],
    deadline: Deadline,
    step_of: Callable[[Outcome], Step],
) -> Outcome:
    """Process a batch part by part, until it is done or the deadline passes.

    If PostgreSQL rejects a part, process each of its messages alone. A message that is not done in
    time is a failure, so SQS delivers it again. The first part is always started.
    """
    outcome = Outcome()
    _decode(messages, outcome)
    with suppress(OutOfTime):
        await deadline.bound(_in_parts(step_of(outcome), outcome, deadline))
    outcome.fail(outcome.orders, NO_TIME)
    if failures := [*outcome.failures, *_by_order(outcome)]:
        with suppress(OutOfTime):
            await Deadline.after(REMEMBERING).bound(services.failures.remember(failures))
    return outcome


def _by_order(outcome: Outcome) -> Iterator[Failure]:
    """Yield the failures of V4 orders by order id, so that their status route answers PENDING.

    V5 does not need this: a claim is PENDING as long as it is in the ledger.
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
            # Fail the whole batch: several timeouts in a row would outlast the function.
            outcome.fail(outcome.orders, str(error))
            return
        except ServiceUnavailable as error:
            outcome.fail(part, str(error))


def _parts(orders: OrdersByMessage) -> Iterator[OrdersByMessage]:
    part: dict[str, list[QueuedOrder]] = {}
    for message_id, chunk in orders.items():
        if part and sum(map(len, part.values())) + len(chunk) > ORDERS_PER_PART:
            yield part
            part = {}
        part[message_id] = chunk
    if part:
        yield part


async def _one_by_one(
    step: Step, part: OrdersByMessage, outcome: Outcome, deadline: Deadline
) -> None:
    for message_id, chunk in part.items():
        if deadline.near:
            return
        try:
            await step({message_id: chunk})
        except OrderRejected as error:
            outcome.fail([message_id], str(error))


async def settle_or_release(
    services: Services, part: OrdersByMessage, statuses: Statuses, outcome: Outcome
) -> None:
    """Bring Redis in line with the status of these orders in PostgreSQL, all products at once.

    Settle the V5 claims of CONFIRMED orders, hold those of RESERVED ones, and give the units of
    CANCELLED and EXPIRED orders back, once. If Redis fails, the messages of the product fail. If
    this process dies before, SQS delivers the messages again. Their rows are the same then, and
    this step is repeated.
    """
    by_product: dict[str, dict[str, list[QueuedOrder]]] = defaultdict(dict)
    for message_id, chunk in part.items():
        by_product[chunk[0].product_id][message_id] = chunk
    await asyncio.gather(
        *(
            _settle_or_release_product(services, id_, messages, statuses, outcome)
            for id_, messages in by_product.items()
        )
    )


async def _settle_or_release_product(
    services: Services, product_id: str, part: OrdersByMessage, statuses: Statuses, outcome: Outcome
) -> None:
    ended: dict[tuple[OrderStatus, bool], list[QueuedOrder]] = defaultdict(list)
    for order in itertools.chain.from_iterable(part.values()):
        if written := statuses.get(order.id):
            ended[written.status, order.generation == V5].append(order)
    for (status, on_ledger), orders in ended.items():
        try:
            if status is OrderStatus.RESERVED:
                held = [(order, statuses[order.id].held_until or 0) for order in orders]
                await services.held_claims.hold(product_id, held)
                outcome.reserved += orders
            elif status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
                store = services.ledger if on_ledger else services.stock
                # Not awaited within the addition, because other products add to it meanwhile.
                released = await store.release(product_id, orders)
                outcome.released += released
                outcome.cancelled += orders
            else:
                await services.ledger.settle(product_id, orders if on_ledger else [])
                outcome.confirmed += orders
        except ServiceUnavailable as error:
            ids = {order.id for order in orders}
            outcome.fail(
                [id_ for id_, chunk in part.items() if ids & {order.id for order in chunk}],
                str(error),
            )
