"""ministack: its URLs, its debug endpoint for queues, and a redrive, which it lacks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3

from flashsale_local.clouds.cloud import reserve_concurrency
from flashsale_local.deployment.endpoint import Endpoint
from flashsale_server.queues.emulators import MinistackQueues
from flashsale_server.queues.messages import QueuedMessage


class Ministack:
    """ministack at one address."""

    name = "ministack"

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._queues = MinistackQueues(endpoint_url)

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:  # noqa: ARG002
        """Return the path of the API. The tag `ms-custom-id` pins its id; it has all routes."""
        return Endpoint(f"{self._endpoint_url}/_aws/execute-api/{outputs['ApiId']}")

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Reserve the concurrency of buy, which ministack's CloudFormation leaves out."""
        reserve_concurrency(stack_name, parameters)

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Read messages by ministack's debug endpoint, which changes nothing."""
        return self._queues.messages(queue_url)[:limit]

    def redrive(self, queue_url: str, source_url: str) -> int:
        """Receive, send and delete each message: ministack has no StartMessageMoveTask.

        A function that consumes the queue is switched off meanwhile, so that it does not compete.
        """
        sqs = boto3.client("sqs")
        moved = 0
        with _consumers_off(queue_url):
            while messages := sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            ).get("Messages"):
                for message in messages:
                    sqs.send_message(QueueUrl=source_url, MessageBody=message["Body"])
                    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                    moved += 1
        return moved


@contextmanager
def _consumers_off(queue_url: str) -> Iterator[None]:
    client = boto3.client("lambda")
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    mappings = client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    try:
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
    finally:
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
