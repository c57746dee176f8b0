"""The debug endpoints by which emulators of AWS show the messages of a queue.

A request to one of them is no receive: it hides no message and counts as no delivery. AWS has
nothing like it. An endpoint returns the whole queue, so ask only where the queue is short.
"""

from collections.abc import Mapping
from typing import Protocol

import httpx

from flashsale_server.queues.messages import QueuedMessage

# Seconds that a person may wait for an answer.
TIMEOUT = 5.0


class EmulatorQueues(Protocol):
    """The queues of an emulator."""

    def messages(self, queue_url: str, timeout: float = TIMEOUT) -> list[QueuedMessage]:
        """Return all messages of a queue, also those that are in flight."""


class MinistackQueues:
    """The queues of ministack at one address."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")

    def messages(self, queue_url: str, timeout: float = TIMEOUT) -> list[QueuedMessage]:
        """Return all messages of a queue, also those that are in flight."""
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


class LocalStackQueues:
    """The queues of LocalStack at one address."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")

    def messages(self, queue_url: str, timeout: float = TIMEOUT) -> list[QueuedMessage]:
        """Return all messages of a queue, also those that are in flight."""
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


def emulator_at(endpoint_url: str, name: str) -> EmulatorQueues | None:
    """Return the queues of the emulator at this address; None on AWS, where the address is ""."""
    if not endpoint_url:
        return None
    return LocalStackQueues(endpoint_url) if name == "localstack" else MinistackQueues(endpoint_url)
