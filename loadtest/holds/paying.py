"""Measures how many payments are applied per second."""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Barrier
from typing import Any

from flashsale.chunks import chunks
from flashsale.config import Settings
from flashsale.domain.messages import MESSAGES_PER_CALL, QueuedOrder
from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Decision
from flashsale.services import Services
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.take_payments import take_payments
from loadtest.finding import Finding
from loadtest.holds.shop import Shop

# The concurrency of the event source mapping of the payment function.
CONSUMERS = 5
ROUNDS, PAYMENTS, WARM_UP, HOLD = 5, 2_000, 500, 600
# What the seeded products cost.
PRICE = Decimal("49.90")


class Consumer:
    """A process that acts as one execution environment of the payment function."""

    runner: asyncio.Runner
    services: Services

    @classmethod
    def start(cls, settings: Settings, all_of_them: Any) -> None:
        """Connect this process, and wait until all the others are connected."""
        cls.runner, cls.services = asyncio.Runner(), Services(settings)
        cls.runner.run(cls.services.database.ping())
        all_of_them.wait()

    @classmethod
    def apply(cls, messages: Sequence[ReceivedMessage]) -> int:
        """Apply a batch of queued payments; return how many confirmed their order."""
        return cls.runner.run(_apply_batch(cls.services, messages))


async def _apply_batch(services: Services, messages: Sequence[ReceivedMessage]) -> int:
    taken = await take_payments(services, messages)
    assert not taken.failures
    return sum(one.decision is Decision.APPLIED for one in taken.decided.values())


async def pay_in_batches(shop: Shop) -> list[Finding]:
    """Pay RESERVED orders by concurrent processes, in batches as SQS delivers them."""
    spawn = multiprocessing.get_context("spawn")
    ready: Barrier = spawn.Barrier(CONSUMERS)
    settings = replace(shop.services.settings, database_pool_size=1)
    with ProcessPoolExecutor(
        CONSUMERS, mp_context=spawn, initializer=Consumer.start, initargs=(settings, ready)
    ) as consumers:
        _apply_all(consumers, await shop.reserve(HOLD, WARM_UP))
        seconds = [_apply_all(consumers, await shop.reserve(HOLD, PAYMENTS)) for _ in range(ROUNDS)]
    rates = [PAYMENTS / took for took in seconds]
    return [Finding("payments applied per second", rates, least=300, digits=0)]


def _apply_all(consumers: ProcessPoolExecutor, orders: Sequence[QueuedOrder]) -> float:
    """Let the consumers pay these orders; return the seconds that it took."""
    messages = [
        ReceivedMessage(f"m-{number}", _queued_payment(number, order))
        for number, order in enumerate(orders)
    ]
    began = time.perf_counter()
    applied = sum(consumers.map(Consumer.apply, chunks(messages, MESSAGES_PER_CALL)))
    seconds = time.perf_counter() - began
    assert applied == len(orders)
    return seconds


def _queued_payment(number: int, order: QueuedOrder) -> str:
    """Return the body of the message with the payment of an order."""
    id_ = f"pi_{time.time_ns():x}_{number}"
    return QueuedPayment(id=id_, order_id=order.id, amount=PRICE, currency="EUR").model_dump_json()
