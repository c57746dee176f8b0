"""ministack: its URLs, its way to look into a queue, and a redrive that it lacks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import boto3
import httpx

from flashsale_local.clouds.cloud import PATIENCE, QueuedMessage, age_of_oldest, reserve_concurrency
from flashsale_local.clouds.endpoint import Endpoint


class Ministack:
    """ministack at one address."""

    name = "ministack"

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:  # noqa: ARG002
        """The API lives below a path; its tag `ms-custom-id` pins the id. It has all routes."""
        return Endpoint(f"{self._endpoint_url}/_aws/execute-api/{outputs['ApiId']}")

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Reserve the concurrency of buy, which ministack's CloudFormation leaves out."""
        reserve_concurrency(stack_name, parameters)

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Look through ministack's own window, which changes nothing."""
        return self._messages(queue_url)[:limit]

    def oldest_age(self, queue_url: str) -> float | None:
        """By the same window; it shows all messages, so ask only where they are few."""
        return age_of_oldest(self._messages(queue_url, PATIENCE))

    def _messages(self, queue_url: str, timeout: float = 5.0) -> list[QueuedMessage]:
        answer = httpx.get(
            f"{self._endpoint_url}/_ministack/sqs/messages",
            params={"QueueUrl": queue_url},
            timeout=timeout,
        )
        by_account = answer.raise_for_status().json()["messages"]  # account -> region -> queue
        messages = [
            message
            for by_region in by_account.values()
            for by_queue in by_region.values()
            for queue in by_queue.values()
            for message in queue
        ]
        return [
            QueuedMessage(m["MessageId"], m["Body"], m["ReceiveCount"], float(m["SentTimestamp"]))
            for m in messages
        ]

    def redrive(self, queue_url: str, source_url: str) -> int:
        """Receive, send, delete: ministack has no StartMessageMoveTask.

        A function that consumes the queue is switched off meanwhile: it must not compete.
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
