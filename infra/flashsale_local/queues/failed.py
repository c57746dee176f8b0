"""Messages that failed: which queue holds them, why, and how to send them back."""

from collections.abc import Sequence

from flashsale.domain.waiting import PARKING
from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_server.queues.depths import depth
from flashsale_server.queues.messages import FailedMessage

# The dead-letter queue of payments. Its messages wait for the operator.
PAYMENTS_DLQ = "payments-dlq"
# The queue that the messages of a queue came from.
SOURCES = {"dlq": "orders", PARKING: "dlq", PAYMENTS_DLQ: "payments"}
# The queues of failed messages, for people.
NAMES = f"dlq, {PARKING} or {PAYMENTS_DLQ}"
# What to say about messages that cannot be moved now.
_LOOKED_AT = "{} being looked at; try again in a minute."
_HIDDEN = {
    "dlq": "{} in flight with the rollback function, which retries each within a minute "
    "and parks it after ten times; try again in a minute.",
    PARKING: _LOOKED_AT,
    PAYMENTS_DLQ: _LOOKED_AT,
}


def source_of(queue: str) -> str:
    """Return the queue that the messages of this one came from.

    Raises:
        Problem: it is not a queue of failed messages.

    """
    if queue not in SOURCES:
        raise Problem(f"{queue!r} is not a queue of failed messages.", f"Use {NAMES}.")
    return SOURCES[queue]


def look(target: Target, queue: str, limit: int) -> list[FailedMessage]:
    """Return up to `limit` messages without their causes; on AWS each look counts as a receive."""
    source_of(queue)
    return [
        FailedMessage(queue, message.id, message.receives, "", message.body)
        for message in target.cloud.peek(target.queues[queue], limit)
    ]


def look_at_all(target: Target, limit: int) -> list[FailedMessage]:
    """Return up to `limit` messages of each queue.

    The queues are read one after the other, so a message that moves on meanwhile can be seen in
    both. It is returned once, in the queue where it was seen last.
    """
    found = {message.id: message for queue in SOURCES for message in look(target, queue, limit)}
    return list(found.values())


async def with_causes(services: Services, messages: Sequence[FailedMessage]) -> list[FailedMessage]:
    """Return the same messages with why they failed."""
    causes = await services.failures.causes([message.id for message in messages])
    return [
        FailedMessage(m.queue, m.id, m.receives, causes.get(m.id, ""), m.body) for m in messages
    ]


def redrive(target: Target, queue: str) -> str:
    """Move the messages of a queue back to where they came from; return a report for people.

    A message that a function failed just now is hidden until its visibility timeout ends. It cannot
    be moved before, and the report says so.
    """
    source = source_of(queue)
    hidden = depth(target.queues[queue]).in_flight
    moved = target.cloud.redrive(target.queues[queue], target.queues[source])
    said = f"{moved} message{'' if moved == 1 else 's'} moved from {queue} to {source}."
    if not hidden:
        return said
    return f"{said} {_HIDDEN[queue].format(f'{hidden} is' if hidden == 1 else f'{hidden} are')}"
