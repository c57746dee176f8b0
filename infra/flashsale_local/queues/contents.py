"""What is in the queues now: how much, and where looking changes nothing also what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flashsale.domain.waiting import PARKING, Waiting, waiting_in
from flashsale_local.clouds.cloud import QueuedMessage
from flashsale_local.deployment.target import Target
from flashsale_local.queues.depths import Depth, depths
from flashsale_local.queues.failed import FailedMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Messages of one queue that are read at most by who looks again and again; the rest is unread.
MOST = 20


@dataclass(frozen=True, slots=True)
class InQueues:
    """One look: depths by queue, and the messages that were read."""

    depths: Mapping[str, Depth]
    read: Sequence[FailedMessage]

    @property
    def waiting(self) -> Waiting:
        """The same as units of products."""
        return waiting_in(
            {queue: depth.total for queue, depth in self.depths.items()},
            [(message.queue, message.body) for message in self.read],
        )


def look_into_queues(
    target: Target,
    sqs: "SQSClient | None" = None,
    urls: Mapping[str, str] | None = None,
    most: int = MOST,
    *,
    long_ones: bool = True,
    receive: bool = False,
) -> InQueues:
    """Take the depths, and then read messages where that changes nothing.

    The emulators show messages without a receive, but always a whole queue. So `orders` is not
    read in the middle of a sale, when it holds more than `most`.

    Args:
        sqs: for who looks often: to make a client takes longer than to look.
        urls: of the queues by name, if not the target's.
        most: messages of one queue that are read.
        long_ones: read `most` messages of a dlq or a parking queue that holds more.
        receive: read parking on AWS too, where nothing counts the receive. Takes a second; for who
            may not receive, the messages stay unread.

    """
    urls = urls or target.queues
    found = depths(urls, sqs)
    readable = ("orders", "dlq", PARKING) if target.endpoint_url else (PARKING,) * receive
    read = {
        # By id: a message that moves on meanwhile is where it was seen last.
        message.id: FailedMessage(queue, message.id, message.receives, "", message.body)
        for queue in readable
        if found[queue].total
        if found[queue].total <= most or (long_ones and queue != "orders")
        for message in _peek(target, urls[queue], most)
    }
    return InQueues(found, list(read.values()))


def _peek(target: Target, url: str, most: int) -> list[QueuedMessage]:
    try:
        return target.cloud.peek(url, most)
    except ClientError:  # an emulator's window is no AWS call
        return []
