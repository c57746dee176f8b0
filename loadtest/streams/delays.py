"""Measures how long an order's new state takes from its commit to its buyer."""

import asyncio
import random
import time

from flashsale.domain.claims import Claim, Claimed
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import split_order_id
from flashsale.services import Services
from flashsale_local.deployment.target import with_services
from flashsale_local.sale.seed import user_ids
from loadtest.bench_server import Bench
from loadtest.finding import Finding
from loadtest.on_sale import put_on_sale
from loadtest.samples import percentile_ms
from loadtest.streams.reader import Reader, open_stream

ORDERS, WITHIN = 200, 20.0
GOAL = 0.8


def delay_of_orders(bench: Bench, port: int) -> list[Finding]:
    """Follow orders of many buyers, and write each of them at a moment of its own."""
    product_id = put_on_sale(bench.target, "streams-orders")
    delays = with_services(bench.target, lambda services: _follow(services, product_id, port))
    p95 = percentile_ms(delays, 95) / 1000
    return [
        Finding(f"commit → event, s: p95 of {ORDERS} orders", [p95], most=GOAL),
        Finding("  each", delays),
    ]


async def _follow(services: Services, product_id: str, port: int) -> list[float]:
    async def claim(user_id: str) -> str:
        claimed = await services.ledger.claim(Claim(product_id, user_id, 1), "nobody", 1)
        assert isinstance(claimed, Claimed)
        return claimed.order_id

    async def one(number: int, user_id: str, order_id: str) -> float:
        address = {"X-Forwarded-For": f"10.200.{number // 40}.1"}
        reader = await open_stream(port, f"/api/v5/orders/{order_id}/events", address)
        await reader.event("order")
        await asyncio.sleep(random.uniform(0, WITHIN))  # noqa: S311 - no secret
        _, entry_id = split_order_id(order_id)
        order = QueuedOrder.of_claim(product_id, entry_id, user_id, 1, "")
        await services.orders.write_batch([order])
        return await _delay(reader, time.time())

    users = user_ids(ORDERS)
    claims = [(user_id, await claim(user_id)) for user_id in users]
    # They count as sent, so nobody else writes these orders meanwhile.
    assert len(await services.ledger.take_unsent(product_id, ORDERS)) == ORDERS
    followed = (one(number, *pair) for number, pair in enumerate(claims))
    return list(await asyncio.gather(*followed))


async def _delay(reader: Reader, committed: float) -> float:
    event = await reader.event("order", lambda data: data["status"] == "CONFIRMED")
    reader.close()
    return event.at - committed
