"""Messages as they are seen in a queue, without being taken out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in a queue.

    Attributes:
        receives: how often it was delivered so far.
        sent: when it was sent, in seconds since 1970.

    """

    id: str
    body: str
    receives: int
    sent: float = 0.0


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A message and the queue in which it was seen last.

    Attributes:
        cause: why it failed; "" where no function wrote that down.

    """

    queue: str
    id: str
    receives: int
    cause: str
    body: str
