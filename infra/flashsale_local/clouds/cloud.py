"""The face that AWS and the emulators share."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import boto3
from botocore.config import Config

from flashsale_local.clouds.endpoint import Endpoint

# Seconds. A scrape waits for nothing that hangs, and tries no call again.
PATIENCE = 2.0
IMPATIENT = Config(connect_timeout=0.5, read_timeout=PATIENCE, retries={"total_max_attempts": 1})


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in a queue, looked at without taking it.

    Attributes:
        receives: deliveries so far.
        sent: when, seconds since 1970.

    """

    id: str
    body: str
    receives: int
    sent: float = 0.0


class Cloud(Protocol):
    """What commands ask of a cloud beyond the AWS APIs that work the same everywhere."""

    name: str

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """An HTTP API, from the outputs of the CloudFormation stack: ApiUrl, or AdminUrl."""

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Do what the template says and this cloud's CloudFormation leaves out."""

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Up to `limit` messages of a queue, which stay where they are."""

    def redrive(self, queue_url: str, source_url: str) -> int:
        """Move the messages of a dead-letter queue back to the queue that they came from.

        Returns how many were moved, as far as that is known when it returns.
        """

    def oldest_age(self, queue_url: str) -> float | None:
        """Seconds since the oldest message was sent; None without any, or where nobody knows."""


def age_of_oldest(messages: Sequence[QueuedMessage]) -> float | None:
    """`Cloud.oldest_age` for who can look at the messages."""
    return max(0.0, time.time() - min(m.sent for m in messages)) if messages else None


def reserve_concurrency(stack_name: str, parameters: Mapping[str, str]) -> None:
    """Do what the template's ReservedConcurrentExecutions says, where an emulator leaves it out.

    Without it, each request of a burst would start a Python process of its own.
    """
    boto3.client("lambda").put_function_concurrency(
        FunctionName=f"{stack_name}-buy",
        ReservedConcurrentExecutions=int(parameters["BuyReservedConcurrency"]),
    )
