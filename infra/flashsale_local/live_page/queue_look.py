"""One look into the queues. It takes longer than to read the stores, so it is taken less often."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


async def look(target: Target, sqs: "SQSClient") -> QueueLook:
    """Look into the queues now."""
    at = time.time()
    return QueueLook(at, await asyncio.to_thread(look_into_queues, target, sqs, most=MAX_MESSAGES))
