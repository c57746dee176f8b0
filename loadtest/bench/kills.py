"""Kills a web worker between two steps of a purchase, several times, and counts what is lost."""

import asyncio
from datetime import UTC, datetime

from flashsale.services import Services
from flashsale_local.console import step
from flashsale_local.deployment.target import Target
from flashsale_local.sale import kill
from flashsale_local.sale.trouble import Outcome, open_sales
from flashsale_local.stack.stack import Stack
from loadtest.bench.about import commit
from loadtest.bench.results import GENERATIONS, Kill, Kills


async def kill_workers(
    stack: Stack, target: Target, services: Services, times: int, command: str
) -> Kills:
    """Kill a worker so many times, each time with one purchase of every generation under way."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    kills = Kills(commit=commit(), date=now, command=command)
    with step(f"{times} kills of a web worker between two steps of a purchase") as done:
        for number in range(times):
            outcomes = await kill_once(stack, target, services, f"bench-{number}")
            kills.outcomes += [_figures(number, outcome) for outcome in outcomes]
        lost = (f"V{g} {sum(one.lost for one in kills.of(g))}" for g in GENERATIONS)
        done(f"{times} kills between two steps of a purchase, units lost: {', '.join(lost)}")
    return kills


async def kill_once(stack: Stack, target: Target, services: Services, run: str) -> list[Outcome]:
    """Kill one worker, and return what became of the purchases under way."""
    products = await open_sales(services, run, "kill")
    # A thread of its own, because it runs an event loop for its gates.
    await asyncio.to_thread(kill.kill_a_worker, stack, target, products)
    return await kill.take_stock(target, services, products)


def unexpected(kills: Kills) -> list[str]:
    """Return a line for each figure that the design of its generation does not lead to."""
    return [
        f"V{one.generation}, kill {one.number + 1}: {one.lost} lost and {one.confirmed} confirmed "
        f"of {one.under_way}, and {expected.lost} and {expected.confirmed} were expected"
        for one in kills.outcomes
        if (one.lost, one.confirmed)
        != ((expected := kill.EXPECTED[one.generation]).lost, expected.confirmed)
    ]


def _figures(number: int, outcome: Outcome) -> Kill:
    return Kill(
        number=number,
        generation=outcome.generation,
        under_way=outcome.attempts,
        confirmed=outcome.confirmed,
        lost=outcome.lost,
    )
