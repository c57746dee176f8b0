"""What is in the queues now: how many messages, and the messages where reading changes nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flashsale.domain.waiting import PARKING, Waiting, waiting_in
from flashsale_server.queues.depths import Depth, depths
from flashsale_server.queues.messages import FailedMessage, QueuedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The queues that may have orders.
QUEUES = ("orders", "dlq", PARKING)
# Most messages of one queue that are read where the queues are inspected again and again.
MOST = 20

# Returns up to so many messages of the queue at a URL.
Peek = Callable[[str, int], list[QueuedMessage]]


@dataclass(frozen=True, slots=True)
class InQueues:
    """The result of one inspection: depths by queue, and the messages that were read."""

    depths: Mapping[str, Depth]
    read: Sequence[FailedMessage]

    @property
    def waiting(self) -> Waiting:
        """The units that wait in the queues, as far as the messages that were read show it."""
        return waiting_in(
            {queue: self.depths[queue].total for queue in QUEUES if queue in self.depths},
            [(message.queue, message.body) for message in self.read],
        )


def inspect(
    urls: Mapping[str, str],
    peek: Peek,
    readable: Collection[str],
    sqs: "SQSClient | None" = None,
    most: int = MOST,
    *,
    long_ones: bool = True,
) -> InQueues:
    """Take the depths of the queues, and then read messages.

    `orders` is not read while it holds more than `most` messages, as in the middle of a sale: an
    emulator always returns the whole queue.

    Args:
        urls: of the queues, by name.
        readable: the queues whose messages may be read.
        sqs: a client to reuse. To make one takes longer than to ask.
        most: messages of one queue that are read.
        long_ones: read `most` messages of a dlq or a parking queue that holds more.

    """
    found = depths(urls, sqs)
    read = {
        # By id: a message that moves on meanwhile counts where it was seen last.
        message.id: FailedMessage(queue, message.id, message.receives, "", message.body)
        for queue in readable
        if found[queue].total
        if found[queue].total <= most or (long_ones and queue != "orders")
        for message in _peek(peek, urls[queue], most)
    }
    return InQueues(found, list(read.values()))


def _peek(peek: Peek, url: str, most: int) -> list[QueuedMessage]:
    try:
        return peek(url, most)
    except ClientError:  # SQS refuses to let us receive: the messages stay unread
        return []
