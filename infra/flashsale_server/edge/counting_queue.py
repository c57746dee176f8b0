"""Metrics of what this edge sends to SQS: the relays' envelopes, and V4's orders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Counter

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale_server.edge import process_metrics  # noqa: F401 - before the first metric is created

SENDS = Counter(
    "flashsale_sqs_sends",
    "V4 orders that were pushed, and relays of V5 envelopes",
    ["operation", "outcome"],
)
CALLS = Counter("flashsale_sqs_calls", "Calls that send messages; V4 orders share them")
MESSAGES = Counter("flashsale_sqs_messages", "Messages in these calls, those sent again included")
ENVELOPES = Counter("flashsale_relayed_envelopes", "SQS messages with V5 claims that SQS took")
CLAIMS = Counter("flashsale_relayed_claims", "V5 claims that SQS took; a claim can be sent again")
for operation in ("push", "relay"):
    for outcome in ("ok", "failed"):
        SENDS.labels(operation, outcome)  # at 0, so that the first failure is an increase


class CountingQueue(OrderQueue):
    """An order queue that counts what it sends by another one."""

    def __init__(self, queue: OrderQueue) -> None:
        self._queue = queue
        queue.on_call = _count_call

    async def push(self, order: QueuedOrder) -> None:
        """See `OrderQueue`. All attempts of one push count as one send."""
        with _counted("push"):
            await self._queue.push(order)

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """See `OrderQueue`."""
        with _counted("relay"):
            await self._queue.send(envelopes)
        ENVELOPES.inc(len(envelopes))
        CLAIMS.inc(sum(len(envelope.claims) for envelope in envelopes))

    async def waiting(self, url: str = "") -> int:
        """See `OrderQueue`."""
        return await self._queue.waiting(url)

    async def ping(self) -> None:
        """See `OrderQueue`."""
        await self._queue.ping()


def _count_call(messages: int) -> None:
    CALLS.inc()
    MESSAGES.inc(messages)


@contextmanager
def _counted(operation: str) -> Iterator[None]:
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        SENDS.labels(operation, outcome).inc()
