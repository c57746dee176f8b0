"""How full the queues are, and how old their oldest message is."""

from functools import cached_property

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError
from prometheus_client import Metric

from flashsale.domain.waiting import ANYTHING, Waiting
from flashsale_local.clouds.cloud import IMPATIENT
from flashsale_local.deployment.target import Target
from flashsale_local.queues.contents import look_into_queues
from flashsale_local.queues.depths import Depth, depths
from flashsale_server.exporter.families import gauge

# The emulators tell of all messages of a queue at once: beyond this, too much is told.
FEW = 20
# As in template.yaml, after the stack's name.
NAMES = {"orders": "orders", "dlq": "orders-dlq", "parking": "orders-parking"}


class Queues:
    """The queues of a deployment."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sqs = boto3.client("sqs", config=IMPATIENT)

    @cached_property
    def _urls(self) -> dict[str, str]:
        # From SQS and not, like elsewhere, from the stack's outputs: one service less to wait for.
        return {
            name: self._sqs.get_queue_url(QueueName=f"{self._target.stack_name}-{queue}")[
                "QueueUrl"
            ]
            for name, queue in NAMES.items()
        }

    def depths(self) -> dict[str, Depth]:
        """Depth of each queue, by its name."""
        return depths(self._urls, self._sqs)

    def waiting(self) -> Waiting:
        """What waits in all queues; ANYTHING while SQS does not say."""
        try:
            look = look_into_queues(self._target, self._sqs, self._urls, most=FEW, long_ones=False)
        except (BotoCoreError, ClientError, HTTPError):
            return ANYTHING
        return look.waiting

    def read(self) -> list[Metric]:
        """Depths, and ages where they can be had: on an emulator of short queues only."""
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
                "Age of the oldest message, 0 without any; missing where nobody tells",
                [(labels, age) for labels, age in ages if age is not None],
                "queue",
            ),
        ]

    def _age(self, name: str, depth: Depth) -> float | None:
        if depth.total > FEW and self._target.endpoint_url:
            return None
        return self._target.cloud.oldest_age(self._urls[name]) if depth.total else 0.0
