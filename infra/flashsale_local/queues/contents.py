"""What is in the queues of a deployment now."""

from typing import TYPE_CHECKING

from flashsale.domain.waiting import PARKING
from flashsale_local.deployment.target import Target
from flashsale_local.queues.failed import PAYMENTS_DLQ
from flashsale_server.queues.inspection import MOST, QUEUES, InQueues, inspect

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def look_into_queues(
    target: Target,
    sqs: "SQSClient | None" = None,
    most: int = MOST,
    *,
    receive: bool = False,
) -> InQueues:
    """Take the depths, and then read messages where that changes nothing.

    Args:
        sqs: a client to reuse. To make one takes longer than to ask.
        most: messages of one queue that are read.
        receive: also read parking on AWS, where reading means to receive and nothing counts the
            receives of that queue. It takes a second. Without the permission to receive, the
            messages stay unread.

    """
    readable = (*QUEUES, PAYMENTS_DLQ) if target.endpoint_url else (PARKING,) * receive
    return inspect(target.queues, target.cloud.peek, readable, sqs, most)
