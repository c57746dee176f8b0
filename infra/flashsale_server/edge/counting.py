"""How often, and how full, orders go to SQS: what this edge's relays and V4's buyers send."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Counter

from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale_server.edge import figures  # noqa: F401 - before the first metric is made

SENDS = Counter("flashsale_sqs_sends", "Calls that carry orders to SQS", ["operation", "outcome"])
ENVELOPES = Counter("flashsale_relayed_envelopes", "SQS messages with V5 claims that SQS took")
CLAIMS = Counter("flashsale_relayed_claims", "V5 claims that SQS took; some of them again")
for operation in ("push", "relay"):
    for outcome in ("ok", "failed"):
        SENDS.labels(operation, outcome)  # from 0 on, so that the first failure is an increase


class CountingQueue(OrderQueue):
    """An order queue that counts what it sends."""

    def __init__(self, queue: OrderQueue) -> None:
        self.__dict__.update(vars(queue))  # the same client, the same queue

    async def push(self, order: QueuedOrder) -> None:
        """See `OrderQueue`; its own tries count as one call."""
        with _counted("push"):
            await super().push(order)

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """See `OrderQueue`."""
        with _counted("relay"):
            await super().send(envelopes)
        ENVELOPES.inc(len(envelopes))
        CLAIMS.inc(sum(len(envelope.claims) for envelope in envelopes))


@contextmanager
def _counted(operation: str) -> Iterator[None]:
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        SENDS.labels(operation, outcome).inc()
