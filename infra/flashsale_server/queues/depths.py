"""How many messages the queues hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Depth:
    """The messages of one queue: ready, in flight with a consumer, and delayed."""

    ready: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All messages."""
        return self.ready + self.in_flight + self.delayed


def depth(queue_url: str, sqs: "SQSClient | None" = None) -> Depth:
    """Return the depth of one queue; on AWS it is approximate for up to a minute.

    Args:
        sqs: a client to reuse. To make one takes longer than to ask.

    """
    attributes = (sqs or boto3.client("sqs")).get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["All"]
    )["Attributes"]
    return Depth(
        ready=int(attributes["ApproximateNumberOfMessages"]),
        in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )


def depths(queues: Mapping[str, str], sqs: "SQSClient | None" = None) -> dict[str, Depth]:
    """Return the depth of each queue, by its name."""
    return {name: depth(url, sqs) for name, url in queues.items()}


def total(depths: Mapping[str, Depth]) -> int:
    """Return the number of messages in all of these queues."""
    return sum(depth.total for depth in depths.values())
