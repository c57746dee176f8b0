"""PostgreSQL is stopped while buyers of each generation come, and started again."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import boto3

from flashsale.services import Services
from flashsale_local.deployment.target import Target, with_services
from flashsale_local.sale.demo import await_orders
from flashsale_local.sale.load import Answer
from flashsale_local.sale.seed import user_ids
from flashsale_local.sale.trouble import BEFORE, Expectation, Outcome, accepted, buy
from flashsale_local.stack.stack import Stack

# Buyers of each generation in the outage. All of V1 to V3 wait two seconds for PostgreSQL.
BUYERS = user_ids(11)[1:]
assert BEFORE not in BUYERS
# Seconds until SQS delivers a message again that the order function could not write; usually a
# minute. Five deliveries must last longer than the outage, or orders would be rolled back.
RETRY = 5
_SELLS_NOTHING = Expectation(accepted=0, confirmed=0, lost=0)
_SELLS_ALL = Expectation(accepted=len(BUYERS), confirmed=len(BUYERS), lost=0)
EXPECTED = {
    1: _SELLS_NOTHING,
    2: _SELLS_NOTHING,
    # Each buyer's unit was taken in Redis before the write failed.
    3: Expectation(accepted=0, confirmed=0, lost=len(BUYERS)),
    4: _SELLS_ALL,
    5: _SELLS_ALL,
}


def stop_postgres_meanwhile(
    stack: Stack, target: Target, products: dict[int, str]
) -> tuple[list[Outcome], float]:
    """Let buyers of these products come in an outage; return the outcomes, and its seconds.

    Each product has sold one unit before. The outage lasts until every buyer has an answer.
    """
    with _retrying_soon(target):
        began = time.monotonic()
        with without_postgres(stack):
            answers = asyncio.run(buy(target.edges["asgi"], products, BUYERS))
        seconds = time.monotonic() - began
        outcomes = with_services(target, lambda s: _take_stock(target, s, products, answers))
    return outcomes, seconds


@contextmanager
def without_postgres(stack: Stack) -> Iterator[None]:
    """Stop PostgreSQL. Start it at the end of the block, whatever happens in it."""
    try:
        stack.supervisor.stop_program(stack.database.name)
        yield
    finally:
        # Ctrl-C may have interrupted the call above while PostgreSQL was still stopping.
        stack.supervisor.stop_program(stack.database.name)
        stack.start(stack.database)


@contextmanager
def _retrying_soon(target: Target) -> Iterator[None]:
    """Let failed messages of the orders queue come again soon, until the end of the block."""
    deployed = _deployed_timeout(target)
    try:
        _hide_failed(target, str(RETRY))
        yield
    finally:
        _hide_failed(target, deployed)


def _deployed_timeout(target: Target) -> str:
    """Return the template's figure: a demo that was killed may have left another one."""
    stacks = boto3.client("cloudformation").describe_stacks(StackName=target.stack_name)["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stacks[0]["Parameters"]}
    return parameters["VisibilityTimeout"]


def _hide_failed(target: Target, seconds: str) -> None:
    boto3.client("sqs").set_queue_attributes(
        QueueUrl=target.queues["orders"], Attributes={"VisibilityTimeout": seconds}
    )


async def _take_stock(
    target: Target,
    services: Services,
    products: Mapping[int, str],
    answers: Mapping[int, Sequence[Answer]],
) -> list[Outcome]:
    outcomes = []
    for generation, product_id in products.items():
        sold = accepted(answers[generation])
        books = await await_orders(target, services, product_id, 1 + sold)
        outcomes.append(Outcome(generation, len(BUYERS), sold, others=1, books=books))
    return outcomes
