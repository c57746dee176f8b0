"""Starts execution environments before a measurement, which then has no cold starts."""

import asyncio
import json
import time

import boto3

from flashsale.provider.signature import sign
from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.deployment.target import Target
from flashsale_local.stack.fake_provider import WEBHOOK

# The concurrency of the event source mapping in template.yaml.
ORDER_CONCURRENCY = 5
# A few payments at a time need no more.
PAYMENT_ENVIRONMENTS = 2
# An event that is no payment, so that the webhook function takes it and does nothing.
NO_PAYMENT = b'{"type": "warm_up"}'


async def warm_up(target: Target) -> None:
    """Start the environments of buy and order, step by step, because all at once takes longer."""
    await _invoke(target, "order", ORDER_CONCURRENCY)
    async with target.api.client() as http:
        for count in range(1, LOCAL_BUY_CONCURRENCY + 1):
            await asyncio.gather(*(http.get("/health") for _ in range(count)))


async def warm_up_payments(target: Target, webhooks: int) -> None:
    """Start the environments of webhook and payment.

    Args:
        webhooks: how many are to be answered at a time.

    """
    await _invoke(target, "payment", PAYMENT_ENVIRONMENTS)
    async with target.webhook_endpoint.client() as http:
        signed = {"Stripe-Signature": sign(NO_PAYMENT, target.webhook_secret, int(time.time()))}
        for count in range(1, webhooks + 1):
            await asyncio.gather(
                *(http.post(WEBHOOK, content=NO_PAYMENT, headers=signed) for _ in range(count))
            )


async def _invoke(target: Target, function: str, most: int) -> None:
    """Invoke a function that receives messages, without any: once, then twice at a time, …"""
    name, payload = f"{target.stack_name}-{function}", json.dumps({"Records": []})
    client = boto3.client("lambda")
    for count in range(1, most + 1):
        await asyncio.gather(
            *(
                asyncio.to_thread(client.invoke, FunctionName=name, Payload=payload)
                for _ in range(count)
            )
        )
