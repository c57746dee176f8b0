"""One look into the queues. It takes longer than to read the stores, so it is taken less often."""

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from flashsale_local.deployment.target import Target
from flashsale_local.queues.contents import look_into_queues
from flashsale_server.queues.inspection import InQueues

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The most messages of one queue that the page shows.
MAX_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class QueueLook:
    """What was in the queues.

    Attributes:
        at: seconds since 1970 at which the look began.

    """

    at: float
    queues: InQueues


class QueueLooks:
    """Looks into the queues of one deployment."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _sqs(self) -> "SQSClient":
        """One client for all looks, because creating it takes longer than a look."""
        return boto3.client("sqs")

    async def take(self) -> QueueLook:
        """Look into the queues now."""
        at = time.time()
        queues = await asyncio.to_thread(
            look_into_queues, self._target, self._sqs, most=MAX_MESSAGES
        )
        return QueueLook(at, queues)
