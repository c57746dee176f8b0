"""The queue between a claim and its order. SQS only carries: it decides nothing."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from flashsale.deadline import bounded
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.errors import MessageRefused, PushRefused, PushUncertain
from flashsale.sqs_store.errors import (
    NeverSent,
    certainly_refused,
    code_is_our_mistake,
    is_our_mistake,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ATTEMPTS = 3
# Seconds for all attempts of one push, in which its buyer waits.
PUSH_TIME = 2.0
# Seconds within which SQS answers one call, in milliseconds as a rule. The client keeps to it.
SQS_TIMEOUT = 1.5
# Calls of one process at the same time. More wait for a thread, as part of their time.
THREADS = 10
T = TypeVar("T")
# Attributes of a queue: those that are ready, in flight (…NotVisible) and delayed (…Delayed).
MESSAGES = "ApproximateNumberOfMessages"

logger = logging.getLogger(__name__)


class OrderQueue:
    """Pushes orders to the queue `orders`."""

    def __init__(self, sqs: "SQSClient", url: str, *, blocking: bool = False) -> None:
        # The client must not retry by itself: it would hide that an earlier try timed out.
        self._sqs = sqs
        self._url = url
        self._blocking = blocking
        # Its own, because the event loop's threads also look up the addresses of all stores.
        self._threads = ThreadPoolExecutor(THREADS, "sqs")

    async def push(self, order: QueuedOrder) -> None:
        """Send an order; a try whose outcome is unknown is repeated with the same order id.

        It takes `PUSH_TIME` at most; where a call blocks, up to `SQS_TIMEOUT` after the last try
        began, and that is never later than `PUSH_TIME - SQS_TIMEOUT`.

        Raises:
            PushRefused: the message is certainly not in the queue; the claim may be released.
            MessageRefused: the same, and by our mistake.
            PushUncertain: it may be in the queue; the claim must not be released.

        """
        body = order.model_dump_json()
        uncertain: Exception | None = None
        began = time.monotonic()
        last_try = began + PUSH_TIME - (SQS_TIMEOUT if self._blocking else 0)
        for _ in range(ATTEMPTS):
            try:
                answer = await self._call(
                    lambda: self._sqs.send_message(QueueUrl=self._url, MessageBody=body),
                    began + PUSH_TIME - time.monotonic(),
                )
                answer["MessageId"]  # else it is somebody else's answer, such as a proxy's
                return
            except Exception as error:
                # A refusal is certain only if no earlier try may have got through.
                if uncertain is None and is_our_mistake(error):
                    raise MessageRefused(f"SQS refused order {order.id}: {error}") from error
                if uncertain is None and certainly_refused(error):
                    raise PushRefused(f"SQS refused order {order.id}: {error}") from error
                uncertain = error
            if time.monotonic() > last_try:
                break
        raise PushUncertain(f"SQS may or may not hold order {order.id}: {uncertain}") from uncertain

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """Send up to 10 envelopes of V5 claims in one call.

        One try: the claims stay in the ledger until they are settled, so the caller may send all of
        them again at any time; what comes twice is written once.

        Raises:
            PushRefused: none of them is in the queue.
            PushUncertain: some of them may be in the queue, and some may not.

        """
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": envelope.model_dump_json()}
            for number, envelope in enumerate(envelopes)
        ]
        try:
            answer = await self._call(
                lambda: self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            )
            taken = {entry["Id"] for entry in answer.get("Successful") or []}
            failed = answer.get("Failed") or []
            codes = {failure["Code"] for failure in failed}
        except Exception as error:
            if is_our_mistake(error):
                logger.exception("SQS refuses %d envelopes, by our mistake", len(entries))
            text = f"SQS may not hold {len(entries)} envelopes: {error}"
            raise (PushRefused if certainly_refused(error) else PushUncertain)(text) from error
        if any(code_is_our_mistake(code) for code in codes):
            logger.error("SQS refuses envelopes, by our mistake: %s", ", ".join(sorted(codes)))
        if missing := [entry["Id"] for entry in entries if entry["Id"] not in taken]:
            why = ", ".join(sorted(codes)) or "its answer names no reason"
            text = f"SQS did not take {len(missing)} envelopes: {why}"
            raise (PushRefused if len(failed) == len(entries) else PushUncertain)(text)

    async def waiting(self, url: str = "") -> int:
        """Messages of this queue, or of another; on AWS approximate, for up to a minute.

        Raises:
            PushRefused: SQS does not answer, or knows no such queue.

        """
        counts = (await self._attributes(url or self._url, "All")).items()
        return sum(int(count) for name, count in counts if name.startswith(MESSAGES))

    async def ping(self) -> None:
        """Raise PushRefused unless SQS knows the queue."""
        await self._attributes(self._url, "QueueArn")

    async def _attributes(self, url: str, name: "QueueAttributeFilterType") -> Mapping[str, str]:
        """Attributes of a queue; never blocks, because others are asked at the same time."""
        try:
            answer = await self._in_thread(
                lambda: self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]),
                SQS_TIMEOUT,
            )
            return {str(key): value for key, value in answer["Attributes"].items()}
        except Exception as error:
            raise PushRefused(f"SQS: {error}") from error

    async def _call(self, send: Callable[[], T], seconds: float = PUSH_TIME) -> T:
        # A thread keeps the other requests of this process going while SQS answers, and lets who
        # runs out of time leave. Where there is neither, it only costs.
        if self._blocking and not bounded.get():
            return send()
        return await self._in_thread(send, seconds)

    async def _in_thread(self, call: Callable[[], T], seconds: float) -> T:
        """Run a call in a thread; gives up after so many seconds, the thread when the call ends.

        Raises:
            NeverSent: no thread was free in that time, so SQS certainly heard nothing.
            TimeoutError: it may have.

        """
        running = self._threads.submit(call)
        try:
            async with asyncio.timeout(max(0, seconds)):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            if running.cancelled():
                raise NeverSent(f"no thread was free within {seconds:.1f} s") from None
            if running.done():  # this process was held up, and not SQS
                return running.result()
            raise TimeoutError(f"no answer within {seconds:.1f} s") from None
