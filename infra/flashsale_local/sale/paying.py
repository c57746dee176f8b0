"""Pays orders as buyers do: at the fake provider, or by webhooks as it would send them."""

import asyncio
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx

from flashsale.chunks import chunks
from flashsale.domain.amounts import to_minor
from flashsale.domain.payments import Decision
from flashsale.provider.stripe import Stripe
from flashsale.services import Services
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.target import Target
from flashsale_local.fake_provider.intents import Intent
from flashsale_local.fake_provider.webhooks import Receiver, Webhooks, Wish
from flashsale_local.problems import Problem
from flashsale_local.stack.fake_provider import WEBHOOK
from flashsale_server.queues.depths import depths

# Buyers who pay at the same time. The emulator starts as many processes of the webhook function.
AT_A_TIME = 4
# Seconds until payments are decided on, and refunded. After a refund that failed, the sweep makes
# none for a minute.
DEADLINE = 90.0

DECIDED = frozenset([Decision.APPLIED, Decision.REFUND_DUE, Decision.REFUNDED])
DECISIONS = "SELECT decision FROM payments WHERE order_id = ANY(%s)"


@dataclass(frozen=True)
class Due:
    """An order, and what its buyer must pay."""

    id: str
    amount: Decimal
    currency: str


async def pay_at_provider(
    shop: httpx.AsyncClient, provider: httpx.AsyncClient, order_id: str
) -> None:
    """Pay an order as its buyer does: begin at the shop, and pay at the fake provider.

    Raises:
        Problem: one of them answers with an error.

    """
    await _press_pay(provider, await _begin(shop, order_id))


async def pay(target: Target, services: Services, orders: Sequence[Due]) -> None:
    """Let the buyers of these orders pay, and wait until PostgreSQL has decided on the payments.

    All begin before the first one pays, because no payment begins in the last seconds of a hold.

    Raises:
        Problem: a payment could not begin, or its webhook had no effect in time.

    """
    if not target.provider_url:
        for some in chunks(orders, AT_A_TIME):
            await _pay_by_webhooks(target, services, some)
        return
    async with target.edges["asgi"].client() as shop, _provider(target) as provider:
        begun = []
        for some in chunks(orders, AT_A_TIME):
            begun += await asyncio.gather(*(_begin(shop, order.id) for order in some))
        for some, ids in zip(chunks(orders, AT_A_TIME), chunks(begun, AT_A_TIME), strict=True):
            await asyncio.gather(*(_press_pay(provider, id_) for id_ in ids))
            await _until_decided(target, services, some, DECIDED)


async def pay_late(target: Target, services: Services, order: Due) -> None:
    """Pay an order whose hold has ended, and wait until the payment is or can be refunded.

    The sweep cancels a payment that was begun at the shop, so that it cannot be made any more. This
    one is made at the provider only.

    Raises:
        Problem: it was not refunded in time.

    """
    if not target.provider_url:
        await _pay_by_webhooks(target, services, [order])
        return
    stripe = Stripe(target.provider_url, target.provider_key)
    intent = await stripe.create(order.id, order.amount, order.currency)
    async with _provider(target) as provider:
        await _press_pay(provider, intent.id)
    await _until_decided(target, services, [order], {Decision.REFUNDED})


def _provider(target: Target) -> httpx.AsyncClient:
    return Endpoint(target.provider_url).client()


async def _begin(shop: httpx.AsyncClient, order_id: str) -> str:
    """Begin the payment of an order; return the provider's id of it."""
    answer = await shop.post(f"/api/v5/orders/{order_id}/payment")
    _refuse_errors(answer)
    return str(answer.json()["paymentId"])


async def _press_pay(provider: httpx.AsyncClient, payment_id: str) -> None:
    _refuse_errors(await provider.post(f"/fake/payment_intents/{payment_id}/pay", json={}))


def _refuse_errors(answer: httpx.Response) -> None:
    if answer.is_error:
        raise Problem(
            f"{answer.url} answered {answer.status_code}: {answer.text[:300]}",
            "If the hold had ended, this machine was too busy. Try again later.",
        )


async def _pay_by_webhooks(target: Target, services: Services, orders: Sequence[Due]) -> None:
    """Send the webhooks of a provider that does not run here. It cannot be asked for refunds."""
    endpoint = target.webhook_endpoint
    receiver = Receiver(f"{endpoint.url}{WEBHOOK}", endpoint.headers, target.webhook_secret)
    webhooks = Webhooks(receiver)
    for order in orders:
        units, currency = to_minor(order.amount, order.currency), order.currency.lower()
        # The sweep asks the provider to refund those whose id begins with pi_.
        id_ = f"demo_{secrets.token_hex(12)}"
        intent = Intent(units, currency, {"order_id": order.id}, id_, "succeeded", units)
        webhooks.send(intent, Wish())
    try:
        await _until_decided(target, services, orders, DECIDED)
    finally:
        await webhooks.close()


async def _until_decided(
    target: Target, services: Services, orders: Sequence[Due], wanted: Collection[Decision]
) -> None:
    """Wait until each order has a payment with one of these decisions."""
    ids = [order.id for order in orders]
    found: list[str] = []
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                async with services.database.transaction() as connection:
                    cursor = await connection.execute(DECISIONS, [ids])
                    found = [row["decision"] for row in await cursor.fetchall()]
                if sum(decision in wanted for decision in found) >= len(ids):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        waiting = {name: d.total for name, d in depths(target.queues).items() if d.total}
        raise Problem(
            f"Not all of {len(ids)} payments had an effect within {DEADLINE:.0f} s, only {found}; "
            f"messages waiting: {waiting}",
            "See `flashsale payments`, `flashsale logs webhook` and `flashsale logs payment`.",
        ) from None
