"""Starts execution environments before a measurement, which then has no cold starts."""

import asyncio
import json

import boto3

from flashsale_local.deployment.deploy import LOCAL_BUY_CONCURRENCY
from flashsale_local.deployment.target import Target

# The concurrency of the event source mapping in template.yaml.
ORDER_CONCURRENCY = 5


async def warm_up(target: Target) -> None:
    """Start the environments of buy and order, step by step, because all at once takes longer."""
    function = f"{target.stack_name}-order"
    payload = json.dumps({"Records": []})
    client = boto3.client("lambda")
    for count in range(1, ORDER_CONCURRENCY + 1):
        await asyncio.gather(
            *(
                asyncio.to_thread(client.invoke, FunctionName=function, Payload=payload)
                for _ in range(count)
            )
        )
    async with target.api.client() as http:
        for count in range(1, LOCAL_BUY_CONCURRENCY + 1):
            await asyncio.gather(*(http.get("/health") for _ in range(count)))
