"""How full the queues are, and waiting until they are empty."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of one queue: ready, with a function right now, and delayed."""

    ready: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.ready + self.in_flight + self.delayed


def depth(queue_url: str, sqs: "SQSClient | None" = None) -> Depth:
    """Depth of one queue; on AWS it is approximate for up to a minute.

    Args:
        sqs: for who asks often: to make a client takes longer than to ask.

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
    """Depth of each queue, by its name."""
    return {name: depth(url, sqs) for name, url in queues.items()}


def total(depths: Mapping[str, Depth]) -> int:
    """Messages in all of these queues."""
    return sum(depth.total for depth in depths.values())


def drain(
    queues: Mapping[str, str], deadline: float, report: Callable[[int], None] = lambda _: None
) -> int:
    """Wait until the queues are empty; returns the messages left after `deadline` seconds."""
    end = time.monotonic() + deadline
    while (left := total(depths(queues))) and time.monotonic() < end:
        report(left)
        time.sleep(0.1)
    return left
