"""The interface that AWS and the emulators share."""

from collections.abc import Mapping
from typing import Protocol

import boto3

from flashsale_local.deployment.endpoint import Endpoint
from flashsale_server.queues.messages import QueuedMessage


class Cloud(Protocol):
    """What commands need from a cloud beyond the AWS APIs that work the same everywhere."""

    name: str

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """Return the HTTP API that an output of the CloudFormation stack names."""

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Apply what the template says and this cloud's CloudFormation leaves out."""

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Return up to `limit` messages of a queue, which stay in it."""

    def redrive(self, queue_url: str, source_url: str) -> int:
        """Move the messages of a dead-letter queue back to the queue that they came from.

        Returns:
            How many messages were moved, as far as the cloud knows it by then.

        """


def reserve_concurrency(stack_name: str, parameters: Mapping[str, str]) -> None:
    """Apply the template's ReservedConcurrentExecutions, which an emulator leaves out.

    Without it, each request of a burst would start a Python process of its own.
    """
    boto3.client("lambda").put_function_concurrency(
        FunctionName=f"{stack_name}-buy",
        ReservedConcurrentExecutions=int(parameters["BuyReservedConcurrency"]),
    )
