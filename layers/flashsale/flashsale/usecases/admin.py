"""What admins can do, each action written down before it has an effect outside PostgreSQL.

An action begins in one transaction with what it changes in PostgreSQL; then comes Redis; then its
end is written down. Who died on the way left an action that is `begun`: the same request does the
rest, and with the same Idempotency-Key ends it; without one it is another action. No unit moves
twice; but a pause or a resume that is repeated so takes place then, whatever came in between.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from flashsale.domain.model import Declined, Terms
from flashsale.postgres_store.audit import BEGUN, DONE, Action, Change
from flashsale.postgres_store.database import Connection
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.cancellation import cancellation, give_back

Step = Callable[[], Awaitable[Declined | None]]


async def create_product(
    services: Services, action: Action, name: str, price: Decimal, stock: int
) -> Declined | None:
    """Add the product `action.target`; it is not on sale yet."""

    async def change(connection: Connection) -> Declined | None:
        return await services.products.create(connection, action.target, name, price, stock)

    return await _carry_out(services, action, change=change)


async def open_sale(services: Services, action: Action, terms: Terms) -> Declined | None:
    """Put a product on sale."""
    return await _carry_out(
        services, action, lambda: sales.open_sale(services, action.target, terms)
    )


async def pause_sale(services: Services, action: Action) -> Declined | None:
    """Let nobody claim, for now."""
    return await _carry_out(services, action, lambda: sales.pause_sale(services, action.target))


async def resume_sale(services: Services, action: Action) -> Declined | None:
    """Go on with a paused sale."""
    return await _carry_out(services, action, lambda: sales.resume_sale(services, action.target))


async def end_sale(services: Services, action: Action) -> Declined | None:
    """Let nobody claim any more."""
    return await _carry_out(services, action, lambda: sales.end_sale(services, action.target))


async def restock(services: Services, action: Action, units: int) -> Declined | None:
    """Add units to a product, and to its sale if there is one. Needs a key: twice is twice."""
    assert action.key, "without a key a repetition adds the units again"

    async def change(connection: Connection) -> Declined | None:
        return await services.products.add_units(connection, action.target, units)

    async def step() -> None:
        await sales.restock_sale(services, action.target)

    return await _carry_out(services, action, step, change)


async def cancel_order(services: Services, action: Action, reason: str) -> Declined | None:
    """Cancel an order and give its units back to where they can be bought."""

    async def step() -> None:
        await give_back(services, action.target)

    change = await cancellation(services, action.target, reason)
    return await _carry_out(services, action, step, change)


async def _carry_out(
    services: Services, action: Action, step: Step | None = None, change: Change | None = None
) -> Declined | None:
    """Write an action down, and do it unless the same request did it before."""
    attempt = await services.audit.begin(action, change, whole=step is None)
    if attempt is None:
        return Declined.KEY_REUSED
    if step and attempt.outcome == BEGUN:
        declined = await step()
        await services.audit.end(attempt, declined or DONE)
        return declined
    return None if attempt.outcome == DONE else Declined(attempt.outcome)
