"""LocalStack: its Function URLs, and its window into queues. The rest it does as AWS does."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from flashsale_local.clouds.aws import Aws
from flashsale_local.clouds.cloud import PATIENCE, QueuedMessage, age_of_oldest, reserve_concurrency
from flashsale_local.clouds.endpoint import Endpoint


class LocalStack(Aws):
    """LocalStack at one address."""

    name = "LocalStack"

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")

    def endpoint(self, outputs: Mapping[str, str], name: str = "ApiUrl") -> Endpoint:
        """A Function URL is told apart by its host, which no name server here knows."""
        return Endpoint(self._endpoint_url, {"host": urlsplit(outputs[name]).netloc})

    def finish_deploy(self, stack_name: str, parameters: Mapping[str, str]) -> None:
        """Reserve the concurrency of buy."""
        reserve_concurrency(stack_name, parameters)

    def peek(self, queue_url: str, limit: int) -> list[QueuedMessage]:
        """Look through LocalStack's own window, which changes nothing."""
        return self._messages(queue_url)[:limit]

    def oldest_age(self, queue_url: str) -> float | None:
        """By the same window; it shows all messages, so ask only where they are few."""
        return age_of_oldest(self._messages(queue_url, PATIENCE))

    def _messages(self, queue_url: str, timeout: float = 5.0) -> list[QueuedMessage]:
        answer = httpx.get(
            f"{self._endpoint_url}/_aws/sqs/messages",
            params={"QueueUrl": queue_url, "ShowInvisible": "true"},
            headers={"accept": "application/json"},
            timeout=timeout,
        )
        result = answer.raise_for_status().json()["ReceiveMessageResponse"]["ReceiveMessageResult"]
        messages = (result or {}).get("Message", [])
        messages = [messages] if isinstance(messages, dict) else messages
        return [_message(message) for message in messages]


def _message(fields: Mapping[str, object]) -> QueuedMessage:
    attributes = fields.get("Attribute", [])
    assert isinstance(attributes, list)
    received = {one["Name"]: one["Value"] for one in attributes}
    return QueuedMessage(
        str(fields["MessageId"]),
        str(fields["Body"]),
        int(received.get("ApproximateReceiveCount", 0)),
        int(received.get("SentTimestamp", 0)) / 1000,
    )
