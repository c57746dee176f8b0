"""Metrics of the queues: how full they are, and how old their oldest message is."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError
from prometheus_client import Metric

from flashsale.domain.waiting import ANYTHING, Waiting
from flashsale_server.clients import IMPATIENT
from flashsale_server.exporter.families import gauge
from flashsale_server.exporter.settings import ExporterSettings
from flashsale_server.queues.age import oldest_age
from flashsale_server.queues.depths import Depth, depths
from flashsale_server.queues.emulators import emulator_at
from flashsale_server.queues.inspection import QUEUES, inspect
from flashsale_server.queues.messages import QueuedMessage

# An emulator returns all messages of a queue at once. Longer queues are not read.
MOST = 20


class Queues:
    """The queues of a deployment."""

    def __init__(self, settings: ExporterSettings) -> None:
        self._urls = settings.queues
        self._emulator = emulator_at(settings.endpoint_url, settings.emulator)
        self._sqs = boto3.client("sqs", config=IMPATIENT)

    def depths(self) -> dict[str, Depth]:
        """Return the depth of each queue, by its name."""
        return depths(self._urls, self._sqs)

    def waiting(self) -> Waiting:
        """Return what waits in all queues; ANYTHING while SQS does not answer.

        On AWS no message is read, because each look would count as a receive.
        """
        readable = QUEUES if self._emulator else ()
        try:
            found = inspect(self._urls, self._peek, readable, self._sqs, MOST, long_ones=False)
        except (BotoCoreError, ClientError, HTTPError):
            return ANYTHING
        return found.waiting

    def _peek(self, url: str, most: int) -> list[QueuedMessage]:
        return self._emulator.messages(url)[:most] if self._emulator else []

    def read(self) -> list[Metric]:
        """Return depths, and ages where they are known: on an emulator of short queues only."""
        found = self.depths()
        messages = [
            ((name, state), count)
            for name, depth in found.items()
            for state, count in (
                ("ready", depth.ready),
                ("in_flight", depth.in_flight),
                ("delayed", depth.delayed),
            )
        ]
        ages = [((name,), self._age(name, depth)) for name, depth in found.items()]
        return [
            gauge("queue_messages", "Messages in a queue", messages, "queue", "state"),
            gauge(
                "queue_oldest_message_age_seconds",
                "Age of the oldest message; 0 in an empty queue, missing where it is unknown",
                [(labels, age) for labels, age in ages if age is not None],
                "queue",
            ),
        ]

    def _age(self, name: str, depth: Depth) -> float | None:
        if depth.total > MOST and self._emulator:
            return None
        return oldest_age(self._urls[name], self._emulator) if depth.total else 0.0
