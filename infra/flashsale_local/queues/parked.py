"""Messages that wait for the operator, and how they cancel or discard them.

They are in the parking queue, or in the dead-letter queue of payments.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from flashsale.domain.messages import QueuedOrder, orders_of_message
from flashsale.domain.model import V5
from flashsale.domain.payment_messages import payment_of_message
from flashsale.domain.payments import Payment
from flashsale.domain.waiting import PARKING
from flashsale.errors import InvalidMessage
from flashsale.redis_store.failures import Failure
from flashsale.services import Services
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.compensate import compensate
from flashsale_local.deployment.target import Target
from flashsale_local.queues.failed import PAYMENTS_DLQ, with_causes
from flashsale_server.queues.messages import FailedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Seconds for which a message is hidden from other consumers while it is worked on.
HIDDEN = 60
# Most messages of one receive.
BATCH = 10
BUSY = "another consumer has it, or it is gone; see `flashsale dlq peek` in a minute"


class Holds(StrEnum):
    """What a parked message holds, which decides what the operator can do with it."""

    ORDER = "order"
    CLAIMS = "claims"
    PAYMENT = "payment"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that waits for the operator.

    Attributes:
        orders: empty if it holds no order of our products.
        payment: of a message in the dead-letter queue of payments; None if it holds none.

    """

    message: FailedMessage
    holds: Holds
    orders: Sequence[QueuedOrder] = ()
    payment: Payment | None = None

    @property
    def units(self) -> Counter[str]:
        """Units by product."""
        units = Counter[str]()
        for order in self.orders:
            units[order.product_id] += order.quantity
        return units

    @property
    def what(self) -> str:
        """A description for people."""
        units = ", ".join(f"{n} unit{'s'[: n != 1]} of {id_}" for id_, n in self.units.items())
        match self.holds:
            case Holds.ORDER:
                return f"order {self.orders[0].id}: {units}"
            case Holds.CLAIMS:
                return (
                    f"{len(self.orders)} claims of V5: {units}. The ledger has those that are "
                    "unsettled, and the sweep sends them again"
                )
            case Holds.PAYMENT:
                assert self.payment
                paid = f"{self.payment.amount} {self.payment.currency}"
                return f"payment {self.payment.id}: {paid} for order {self.payment.order_id}"
            case Holds.NOTHING if self.message.queue == PAYMENTS_DLQ:
                return "no payment; no money depends on it"
            case Holds.NOTHING:
                return "no order of a product that exists; it has no units"

    @property
    def way_out(self) -> str:
        """The command that removes the message."""
        queue = self.message.queue
        if self.holds is Holds.PAYMENT:
            return f"flashsale dlq redrive {queue}"
        command = "discard" if self.holds is Holds.NOTHING else "cancel"
        return f"flashsale dlq {command} {queue} --message {self.message.id}"

    def figures(self) -> dict[str, Any]:
        """Return the message as a JSON object."""
        message = asdict(self.message)
        del message["queue"]
        orders = [
            {"id": o.id, "product_id": o.product_id, "units": o.quantity} for o in self.orders
        ]
        return {**message, "holds": self.holds, "orders": orders, "way_out": self.way_out}


async def read_parked(services: Services, messages: Sequence[FailedMessage]) -> list[Parked]:
    """Return what these messages hold, and why they failed."""
    if not messages:
        return []
    products = {product.id for product in await services.products.list_all()}
    return [_read(message, products) for message in await with_causes(services, messages)]


def _read(message: FailedMessage, products: Collection[str]) -> Parked:
    if message.queue == PAYMENTS_DLQ:
        return read_payment(message)
    try:
        orders = orders_of_message(message.body)
    except InvalidMessage:
        return Parked(message, Holds.NOTHING)
    if orders[0].product_id not in products:  # so it was never sold, and no row can refer to it
        return Parked(message, Holds.NOTHING)
    holds = Holds.CLAIMS if orders[0].generation == V5 else Holds.ORDER
    return Parked(message, holds, orders)


def read_payment(message: FailedMessage) -> Parked:
    """Return what a message of the dead-letter queue of payments holds."""
    try:
        return Parked(message, Holds.PAYMENT, payment=payment_of_message(message.body))
    except InvalidMessage:
        return Parked(message, Holds.NOTHING)


@dataclass(slots=True)
class Ended:
    """The results for parked messages; the counts are orders, and units that were released."""

    deleted: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    cancelled: int = 0
    confirmed: int = 0
    released: int = 0


async def cancel(services: Services, target: Target, chosen: Sequence[Parked]) -> Ended:
    """Cancel the orders of these messages like the rollback function, and delete the messages."""
    # Where buyers have tokens, an unknown buyer is a new one, and can ask for the order later.
    services.settings = replace(services.settings, auth=_auth(target))
    ended = Ended()

    async def act(messages: Sequence[ReceivedMessage]) -> Sequence[Failure]:
        outcome = await compensate(services, messages)
        ended.cancelled += len(outcome.cancelled)
        ended.confirmed += len(outcome.confirmed)
        ended.released += outcome.released
        return outcome.failures

    await _end(target.queues[PARKING], chosen, act, ended)
    return ended


def _auth(target: Target) -> str:
    """Return the parameter Auth of the deployed functions."""
    answer = boto3.client("cloudformation").describe_stacks(StackName=target.stack_name)
    parameters = {
        one["ParameterKey"]: one["ParameterValue"]
        for one in answer["Stacks"][0].get("Parameters", [])
    }
    return parameters.get("Auth", target.auth)


async def discard(target: Target, queue: str, chosen: Sequence[Parked]) -> Ended:
    """Delete these messages of a queue."""
    ended = Ended()

    async def act(messages: Sequence[ReceivedMessage]) -> Sequence[Failure]:  # noqa: ARG001
        return ()

    await _end(target.queues[queue], chosen, act, ended)
    return ended


Act = Callable[[Sequence[ReceivedMessage]], Awaitable[Sequence[Failure]]]


async def _end(queue_url: str, chosen: Sequence[Parked], act: Act, ended: Ended) -> None:
    """Receive the messages, let `act` process them, and only then delete them."""
    sqs, left, kept = boto3.client("sqs"), {one.message.id for one in chosen}, list[str]()
    try:
        while left and (received := await asyncio.to_thread(_receive, sqs, queue_url)):
            kept += [handle for id_, (_, handle) in received.items() if id_ not in left]
            mine = {id_: received[id_] for id_ in received if id_ in left}
            failures = await act([ReceivedMessage(id_, body) for id_, (body, _) in mine.items()])
            ended.failures += failures
            left -= mine.keys()
            for id_ in {failure.message_id for failure in failures}:
                kept.append(mine.pop(id_)[1])
            for id_, (_, handle) in mine.items():
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=handle)
                ended.deleted.add(id_)
    finally:
        for handle in kept:
            _show_again(sqs, queue_url, handle)
    ended.failures += [Failure(id_, BUSY) for id_ in sorted(left)]


def _receive(sqs: "SQSClient", queue_url: str) -> dict[str, tuple[str, str]]:
    """Return body and receipt handle by message id."""
    answer = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=HIDDEN,
        WaitTimeSeconds=1,
    )
    return {m["MessageId"]: (m["Body"], m["ReceiptHandle"]) for m in answer.get("Messages", [])}


def _show_again(sqs: "SQSClient", queue_url: str, handle: str) -> None:
    # An error for an old handle is no problem: its message is visible already.
    with suppress(ClientError):
        sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
