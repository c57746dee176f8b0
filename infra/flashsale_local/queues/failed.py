"""Messages that failed, for people: which queue, why, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass

from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.queues.depths import depth

# Where the messages of a queue came from.
SOURCES = {"dlq": "orders", "parking": "dlq"}
# What is said of those that cannot be moved now.
_HIDDEN = {
    "dlq": "{} are in flight with the rollback function, which tries each again within a minute "
    "and parks it after ten times; try again in a minute.",
    "parking": "{} are being looked at; try again in a minute.",
}


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A message of `dlq` or `parking`. `cause` is "" where nobody wrote down why it failed."""

    queue: str
    id: str
    receives: int
    cause: str
    body: str


def source_of(queue: str) -> str:
    """The queue that the messages of this one came from.

    Raises:
        Problem: it is no queue of failed messages.

    """
    if queue not in SOURCES:
        raise Problem(f"{queue!r} is no queue of failed messages.", "Use dlq or parking.")
    return SOURCES[queue]


def look(target: Target, queue: str, limit: int) -> list[FailedMessage]:
    """Up to `limit` messages, still without their causes; on AWS a look counts as a receive."""
    source_of(queue)
    return [
        FailedMessage(queue, message.id, message.receives, "", message.body)
        for message in target.cloud.peek(target.queues[queue], limit)
    ]


def look_at_all(target: Target, limit: int) -> list[FailedMessage]:
    """Up to `limit` messages of each queue; one that moves on meanwhile is where it was seen last.

    Queues are looked at one after another, so that it can be seen in both.
    """
    found = {message.id: message for queue in SOURCES for message in look(target, queue, limit)}
    return list(found.values())


async def with_causes(services: Services, messages: Sequence[FailedMessage]) -> list[FailedMessage]:
    """The same messages with why they failed."""
    causes = await services.failures.causes([message.id for message in messages])
    return [
        FailedMessage(m.queue, m.id, m.receives, causes.get(m.id, ""), m.body) for m in messages
    ]


def redrive(target: Target, queue: str) -> str:
    """Move the messages of a queue back to where they came from; returns what was done.

    A message that a function has just failed is hidden until its visibility timeout is over: it
    cannot be moved then, and is said.
    """
    source = source_of(queue)
    hidden = depth(target.queues[queue]).in_flight
    moved = target.cloud.redrive(target.queues[queue], target.queues[source])
    said = f"{moved} messages moved from {queue} to {source}."
    return f"{said} {_HIDDEN[queue].format(hidden)}" if hidden else said
