"""`python -m loadtest.outage`: what the sweep sends during an outage of PostgreSQL, sped up.

An outage of ten minutes takes twenty seconds here. The command divides every period of the
pipeline by `FASTER`: the outage, the visibility timeout, the period of the sweep and its waits. It
starts a real Valkey and a real PostgreSQL of its own. SQS is a model of its rules: a failed message
is hidden for the visibility timeout, and moves to the dead-letter queue after five receives.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from flashsale.config import Settings
from flashsale.domain.claims import Claim
from flashsale.domain.messages import Envelope
from flashsale.postgres_store.migrations import migrate
from flashsale.services import Services
from flashsale.usecases import relay
from flashsale.usecases.batch import Outcome, ReceivedMessage
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from flashsale_local.paths import MIGRATIONS
from flashsale_local.sale.seed import seed, user_ids
from flashsale_local.stack.program import free_port
from loadtest.own_stores import own_stores

FASTER = 30
OUTAGE, VISIBILITY, SWEEP_EVERY, SWEEP_AFTER = 600 / FASTER, 60 / FASTER, 60 / FASTER, 90 // FASTER
CLAIMS, RECEIVES, LONGEST = 5_000, 5, 120.0
PRODUCT = "outage"

UseCase = Callable[[Services, Sequence[ReceivedMessage]], Awaitable[Outcome]]


@dataclass
class _Sent:
    message: ReceivedMessage
    visible_at: float = 0.0
    receives: int = 0


@dataclass
class ModelOfSqs:
    """A model of the orders queue and its dead-letter queue, with the rules that matter here."""

    orders: list[_Sent] = field(default_factory=list)
    dead: list[_Sent] = field(default_factory=list)
    messages: int = 0
    copies: int = 0

    async def send(self, envelopes: Sequence[Envelope]) -> None:
        """Accept envelopes, as `OrderQueue` does."""
        for envelope in envelopes:
            self.messages += 1
            self.copies += len(envelope.claims)
            message = ReceivedMessage(f"m-{self.messages}", envelope.model_dump_json())
            self.orders.append(_Sent(message))

    async def waiting(self, url: str = "") -> int:
        """Count the messages of the orders queue, or with a `url` of the dead-letter queue."""
        return len(self.dead) if url else len(self.orders)


async def main() -> None:
    """Simulate the outage and print what was sent."""
    with own_stores() as settings:
        await _measure(replace(settings, sweep_after=SWEEP_AFTER))


async def _measure(settings: Settings) -> None:
    relay.PATIENCE //= FASTER
    sqs, up = ModelOfSqs(), Services(replace(settings, dead_letter_queue_url="http://dead"))
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    down = Services(replace(up.settings, database_url=nowhere))
    up.order_queue = down.order_queue = sqs  # type: ignore[assignment]
    now = down
    await migrate(up.database, MIGRATIONS)
    await seed(up, user_ids(CLAIMS), [PRODUCT], CLAIMS)
    await up.stock.open_sale(PRODUCT, CLAIMS)
    for user in user_ids(CLAIMS):
        await up.ledger.claim(Claim(PRODUCT, user, 1), relay.TOKEN, 60_000)
    await relay.relay(up, PRODUCT, relay.LAMBDA_PACE)
    pipeline = [
        asyncio.create_task(_consume(sqs.orders, place_orders, lambda: now, sqs.dead)),
        asyncio.create_task(_consume(sqs.dead, compensate, lambda: now, [])),
        asyncio.create_task(_sweep(lambda: now)),
    ]
    await asyncio.sleep(OUTAGE)
    in_outage, ended, now = (sqs.messages, sqs.copies), time.monotonic(), up
    async with asyncio.timeout(LONGEST):
        while await up.ledger.count(PRODUCT):  # noqa: ASYNC110 - Redis has no notification for this
            await asyncio.sleep(0.05)
    settled = time.monotonic() - ended
    snapshot = await up.ledger.snapshot(PRODUCT, count_claims=True)
    print(f"{in_outage[0]} messages and {in_outage[1]} claims were sent in the outage,")  # noqa: T201
    print(f"{sqs.messages} and {sqs.copies} in all; left in the ledger: {snapshot}")  # noqa: T201
    print(f"all were settled or released {settled * FASTER:.0f} s of real time after it")  # noqa: T201
    for task in pipeline:
        task.cancel()
    await asyncio.gather(*pipeline, return_exceptions=True)
    await up.close()
    await down.close()


async def _sweep(services: Callable[[], Services]) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY)
        await relay.sweep(services())


async def _consume(
    queue: list[_Sent], use_case: UseCase, services: Callable[[], Services], dead: list[_Sent]
) -> None:
    """Act as the event source mapping and the function behind a queue."""
    while True:
        batch = [sent for sent in queue if sent.visible_at <= time.monotonic()][:10]
        for sent in batch:
            sent.receives, sent.visible_at = sent.receives + 1, time.monotonic() + VISIBILITY
        outcome = await use_case(services(), [sent.message for sent in batch]) if batch else None
        failed = {failure.message_id for failure in outcome.failures} if outcome else set()
        for sent in batch:
            is_last = sent.receives >= RECEIVES
            if sent.message.id in failed and is_last:
                dead.append(_Sent(sent.message))
            if sent.message.id not in failed or is_last:
                queue.remove(sent)
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main())
