"""The queue between a claim and its order. SQS only carries: it decides nothing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from flashsale.deadline import bounded
from flashsale.errors import PushRefused, PushUncertain, QueueUnavailable
from flashsale.messages import Envelope, Order

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ATTEMPTS = 3
T = TypeVar("T")
# Attributes of a queue: those that are ready, in flight (…NotVisible) and delayed (…Delayed).
MESSAGES = "ApproximateNumberOfMessages"


class OrderQueue:
    """Pushes orders to the queue `orders`."""

    def __init__(self, sqs: "SQSClient", url: str, *, blocking: bool = False) -> None:
        # The client must not retry by itself: it would hide that an earlier try timed out.
        self._sqs = sqs
        self._url = url
        self._blocking = blocking

    async def push(self, order: Order) -> None:
        """Send an order; a try whose outcome is unknown is repeated with the same order id.

        Raises:
            PushRefused: the message is certainly not in the queue; the claim may be released.
            PushUncertain: it may be in the queue; the claim must not be released.

        """
        body = order.model_dump_json()
        uncertain: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                await self._call(
                    lambda: self._sqs.send_message(QueueUrl=self._url, MessageBody=body)
                )
                return
            except (BotoCoreError, ClientError) as error:
                # A refusal is certain only if no earlier try may have got through.
                if uncertain is None and _certainly_refused(error):
                    raise PushRefused(f"SQS refused order {order.id}: {error}") from error
                uncertain = error
        raise PushUncertain(f"SQS may or may not hold order {order.id}: {uncertain}") from uncertain

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """Send up to 10 envelopes of V5 claims in one call.

        One try: the claims stay in the ledger until they are settled, so the caller may send all of
        them again at any time; what comes twice is written once.

        Raises:
            QueueUnavailable: some of them may not be in the queue.

        """
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": envelope.model_dump_json()}
            for number, envelope in enumerate(envelopes)
        ]
        try:
            answer = await self._call(
                lambda: self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS may not hold {len(entries)} envelopes: {error}") from error
        if failed := answer.get("Failed"):
            codes = {failure["Code"] for failure in failed}
            raise QueueUnavailable(f"SQS refused {len(failed)} envelopes: {', '.join(codes)}")

    async def waiting(self, url: str = "") -> int:
        """Messages of this queue, or of another; on AWS approximate, for up to a minute.

        Raises:
            PushRefused: SQS does not answer, or knows no such queue.

        """
        try:
            answer = await asyncio.to_thread(
                self._sqs.get_queue_attributes, QueueUrl=url or self._url, AttributeNames=["All"]
            )
        except (BotoCoreError, ClientError) as error:
            raise PushRefused(f"SQS: {error}") from error
        counts = answer["Attributes"].items()
        return sum(int(count) for name, count in counts if name.startswith(MESSAGES))

    async def ping(self) -> None:
        """Raise PushRefused unless SQS knows the queue."""
        try:
            await self._call(
                lambda: self._sqs.get_queue_attributes(
                    QueueUrl=self._url, AttributeNames=["QueueArn"]
                )
            )
        except (BotoCoreError, ClientError) as error:
            raise PushRefused(f"SQS: {error}") from error

    async def _call(self, send: Callable[[], T]) -> T:
        # A thread keeps the other requests of this process going while SQS answers, and lets who
        # runs out of time leave. Where there is neither, it only costs.
        if self._blocking and not bounded.get():
            return send()
        return await asyncio.to_thread(send)


def _certainly_refused(error: Exception) -> bool:
    if isinstance(error, ClientError):
        status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        return 400 <= status < 500
    return isinstance(error, EndpointConnectionError | ConnectTimeoutError)
