"""Metrics of what this edge sends to SQS: the relays' envelopes, and V4's orders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Counter

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale_server.edge import process_metrics  # noqa: F401 - before the first metric is created

SENDS = Counter("flashsale_sqs_sends", "Calls that carry orders to SQS", ["operation", "outcome"])
ENVELOPES = Counter("flashsale_relayed_envelopes", "SQS messages with V5 claims that SQS took")
CLAIMS = Counter("flashsale_relayed_claims", "V5 claims that SQS took; a claim can be sent again")
for operation in ("push", "relay"):
    for outcome in ("ok", "failed"):
        SENDS.labels(operation, outcome)  # at 0, so that the first failure is an increase


class CountingQueue(OrderQueue):
    """An order queue that counts what it sends by another one."""

    def __init__(self, queue: OrderQueue) -> None:
        self._queue = queue

    async def push(self, order: QueuedOrder) -> None:
        """See `OrderQueue`. All tries of one push count as one call."""
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


@contextmanager
def _counted(operation: str) -> Iterator[None]:
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        SENDS.labels(operation, outcome).inc()
