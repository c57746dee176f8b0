"""Paying the held orders of a sale, or letting them expire."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from flashsale.domain.model import Hold
from flashsale.services import Services
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.deploy import hold_grace
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.sale.paying import pay_at_provider

# Seconds that the buyers of this page have to pay.
HOLD = 60
# Payments that are made at the same time.
AT_A_TIME = 8
# Seconds between two looks for ended holds: of the web workers, and of the sweep function.
LOOKS = {"asgi": 5, "lambda": 60}

# Pays the order with this id.
Pay = Callable[[str], Awaitable[None]]


async def held_orders(services: Services, product_id: str) -> list[Hold]:
    """Return the RESERVED orders of a product, first to end first."""
    supply = await services.products.get_supply(product_id)
    return sorted(supply.holds if supply else (), key=lambda hold: hold.until)


async def pay_held(services: Services, product_id: str, count: int | None, pay: Pay) -> str:
    """Pay held orders of a product; return a report for people.

    Args:
        count: orders that are paid at most; None for all. Those whose holds end last are paid, so
            that there is time.

    """
    held = await held_orders(services, product_id)
    chosen = held[::-1][:count]
    if not chosen:
        return f"No order of {product_id} is held."
    limit = asyncio.Semaphore(AT_A_TIME)

    async def pay_one(hold: Hold) -> None:
        async with limit:
            await pay(hold.order_id)

    outcomes = await asyncio.gather(*map(pay_one, chosen), return_exceptions=True)
    failures = [outcome for outcome in outcomes if outcome is not None]
    if len(failures) == len(chosen):
        raise failures[0]
    said = f"{len(chosen) - len(failures)} of {len(held)} held orders of {product_id} were paid."
    return f"{said} {len(failures)} were not: {failures[0]}" if failures else said


async def when_they_expire(services: Services, product_id: str, edge: str) -> str:
    """Return when the held orders of a product expire, for people.

    Args:
        edge: what ends the holds, see `LOOKS`.

    """
    held = await held_orders(services, product_id)
    if not held:
        return f"No order of {product_id} is held."
    end = held[-1].until
    earliest = end + int(hold_grace()) * 1000
    latest = max(earliest, round(time.time() * 1000)) + LOOKS[edge] * 1000
    return (
        f"{len(held)} held orders of {product_id} are left unpaid. The last hold ends at "
        f"{_clock(end)}. A payment may still be on its way then, so its units come back to the "
        f"stock from {_clock(earliest)} on, by {_clock(latest)}."
    )


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%H:%M:%S")


def by_provider(target: Target, api: Endpoint) -> Pay:
    """Return what pays an order as its buyer would: at the fake provider that runs here.

    Args:
        api: of the buyers.

    Raises:
        Problem: no provider runs here.

    """
    if not target.provider_url:
        raise Problem("No payment provider runs here.", "Start one: `make up`.")

    async def pay(order_id: str) -> None:
        async with api.client() as buyer, Endpoint(target.provider_url).client() as provider:
            await pay_at_provider(buyer, provider, order_id)

    return pay
