"""The queue between a claim and its order. SQS transports messages and decides nothing."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from flashsale.deadline import bounded
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.errors import PushRefused, PushUncertain
from flashsale.sqs_store.errors import (
    NeverSent,
    certainly_refused,
    code_is_bug,
    is_bug,
)
from flashsale.sqs_store.shared_calls import Push, SharedCalls

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType
    from mypy_boto3_sqs.type_defs import (
        SendMessageBatchRequestEntryTypeDef,
        SendMessageBatchResultTypeDef,
    )

# Seconds for all attempts of one push. The buyer waits meanwhile.
PUSH_TIME = 2.0
# Seconds for one call, which usually takes milliseconds. It is the read timeout of the client.
SQS_TIMEOUT = 1.5
# Concurrent calls of one process. Further calls wait for a thread, within their own time limit.
THREADS = 10
T = TypeVar("T")
# Prefix of the attributes that count messages: ready, in flight (…NotVisible), delayed (…Delayed).
MESSAGES = "ApproximateNumberOfMessages"

logger = logging.getLogger(__name__)


class OrderQueue:
    """Sends orders to the queue `orders`."""

    def __init__(self, sqs: "SQSClient", url: str, *, blocking: bool = False) -> None:
        # The client must not retry by itself: it would hide that an earlier attempt timed out.
        self._sqs = sqs
        self._url = url
        self._blocking = blocking
        # Called before each call that sends messages, with their number.
        self.on_call: Callable[[int], None] = lambda _: None
        # A pool of its own, because the event loop's threads also resolve the stores' host names.
        self._threads = ThreadPoolExecutor(THREADS, "sqs")
        self._pushes = SharedCalls(self._send_batch)

    async def push(self, order: QueuedOrder) -> None:
        """Send an order. An attempt with an unknown outcome is retried with the same order id.

        Orders that are pushed at the same time share calls, see `SharedCalls`. It takes `PUSH_TIME`
        at most. If calls block, the last attempt starts no later than `PUSH_TIME - SQS_TIMEOUT` and
        takes `SQS_TIMEOUT` at most.

        Raises:
            PushRefused: the message is certainly not in the queue. The claim may be released.
            MessageRefused: as PushRefused, because of a bug.
            PushUncertain: the message may be in the queue. The claim must not be released.

        """
        loop = asyncio.get_running_loop()
        end = loop.time() + PUSH_TIME
        push = Push(
            f"order {order.id}",
            order.model_dump_json(),
            end,
            end - (SQS_TIMEOUT if self._blocking else 0),
            loop.create_future(),
        )
        await self._pushes.carry(push)

    async def _send_batch(self, bodies: Sequence[str]) -> "SendMessageBatchResultTypeDef":
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
        ]
        self.on_call(len(entries))
        return await self._call(
            lambda: self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        )

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """Send up to 10 envelopes of V5 claims in one call.

        It makes one attempt. The claims stay in the ledger until they are settled, so the caller
        may send all of them again at any time. A claim that arrives twice is written once.

        Raises:
            PushRefused: no envelope is in the queue.
            PushUncertain: some envelopes may be in the queue, and some may not.

        """
        bodies = [envelope.model_dump_json() for envelope in envelopes]
        try:
            answer = await self._send_batch(bodies)
            taken = {entry["Id"] for entry in answer.get("Successful") or []}
            failed = answer.get("Failed") or []
            codes = {failure["Code"] for failure in failed}
        except Exception as error:
            if is_bug(error):
                logger.exception("SQS rejects %d envelopes: this is a bug", len(bodies))
            text = f"SQS may lack {len(bodies)} envelopes: {error}"
            raise (PushRefused if certainly_refused(error) else PushUncertain)(text) from error
        if any(code_is_bug(code) for code in codes):
            logger.error("SQS rejects envelopes: this is a bug: %s", ", ".join(sorted(codes)))
        if missing := [id_ for id_ in map(str, range(len(bodies))) if id_ not in taken]:
            why = ", ".join(sorted(codes)) or "its response names no reason"
            text = f"SQS did not take {len(missing)} envelopes: {why}"
            raise (PushRefused if len(failed) == len(bodies) else PushUncertain)(text)

    async def waiting(self, url: str = "") -> int:
        """Return the messages of this queue, or of another. On AWS they lag by up to a minute.

        Raises:
            PushRefused: SQS does not respond, or has no such queue.

        """
        counts = (await self._attributes(url or self._url, "All")).items()
        return sum(int(count) for name, count in counts if name.startswith(MESSAGES))

    async def ping(self) -> None:
        """Raise PushRefused unless SQS responds and has the queue."""
        await self._attributes(self._url, "QueueArn")

    async def _attributes(self, url: str, name: "QueueAttributeFilterType") -> Mapping[str, str]:
        """Return attributes of a queue, without blocking: other stores are asked meanwhile."""
        try:
            answer = await self._in_thread(
                lambda: self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]),
                SQS_TIMEOUT,
            )
            return {str(key): value for key, value in answer["Attributes"].items()}
        except Exception as error:
            raise PushRefused(f"SQS: {error}") from error

    async def _call(self, send: Callable[[], T], seconds: float = PUSH_TIME) -> T:
        # A thread lets other requests go on while SQS responds, and lets a deadline abandon the
        # call. Without other requests and deadlines it is only overhead.
        if self._blocking and not bounded.get():
            return send()
        return await self._in_thread(send, seconds)

    async def _in_thread(self, call: Callable[[], T], seconds: float) -> T:
        """Run a call in a thread for `seconds` at most. The thread ends with the call.

        Raises:
            NeverSent: no thread was free in that time, so nothing was sent.
            TimeoutError: SQS may have received the request.

        """
        running = self._threads.submit(call)
        try:
            async with asyncio.timeout(max(0, seconds)):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            if running.cancelled():
                raise NeverSent(f"no thread was free within {seconds:.1f} s") from None
            if running.done():  # this process was delayed, and not SQS
                return running.result()
            raise TimeoutError(f"no answer within {seconds:.1f} s") from None
