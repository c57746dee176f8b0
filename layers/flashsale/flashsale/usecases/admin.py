"""Use cases of admins. Each action is recorded before it has an effect outside PostgreSQL.

Except for a pause while PostgreSQL is down: see `usecases/pauses.py`.

One transaction records the action and changes PostgreSQL. The step in Redis follows, and then the
outcome is recorded. If the process dies in between, the action stays `begun`. A retry with the same
Idempotency-Key does the rest and ends the action. Without a key, the retry is another action, and
does the rest as well. No unit moves twice. But a pause or resume that is retried takes effect at
that time, whatever happened in between.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from flashsale.domain.model import Declined, Terms, split_order_id
from flashsale.domain.pauses import UnrecordedPause
from flashsale.domain.payments import Decision
from flashsale.errors import DatabaseUnavailable
from flashsale.postgres_store.audit import BEGUN, DONE, Action, Change
from flashsale.postgres_store.database import Connection
from flashsale.services import Services
from flashsale.usecases import sales
from flashsale.usecases.cancellation import give_back
from flashsale.usecases.pauses import pause_unrecorded

# Seconds that a pause waits for PostgreSQL before it goes on without.
RECORD_TIME = 1.0

Step = Callable[[], Awaitable[Declined | None]]


async def create_product(
    services: Services, action: Action, name: str, price: Decimal, currency: str, stock: int
) -> Declined | None:
    """Add the product `action.target`; it is not on sale yet."""

    async def change(connection: Connection) -> Declined | None:
        return await services.products.create(
            connection, action.target, name, price, currency, stock
        )

    return await _carry_out(services, action, change=change)


async def open_sale(services: Services, action: Action, terms: Terms) -> Declined | None:
    """Put a product on sale."""
    return await _carry_out(
        services, action, lambda: sales.open_sale(services, action.target, terms)
    )


async def pause_sale(services: Services, action: Action) -> Declined | UnrecordedPause | None:
    """Stop claims, for now. While PostgreSQL is down, the record stays in Redis and is returned."""
    action = action if action.key else replace(action, key=uuid4().hex)
    try:
        async with asyncio.timeout(RECORD_TIME):
            return await _carry_out(
                services, action, lambda: sales.pause_sale(services, action.target)
            )
    except (DatabaseUnavailable, TimeoutError):
        return await pause_unrecorded(services, action)


async def resume_sale(services: Services, action: Action) -> Declined | None:
    """Resume a paused sale."""
    return await _carry_out(services, action, lambda: sales.resume_sale(services, action.target))


async def end_sale(services: Services, action: Action) -> Declined | None:
    """Stop claims, for good."""
    return await _carry_out(services, action, lambda: sales.end_sale(services, action.target))


async def restock(services: Services, action: Action, units: int) -> Declined | None:
    """Add units to a product, and to its sale if there is one. The action needs a key."""
    assert action.key, "without a key, a retry would add the units again"

    async def change(connection: Connection) -> Declined | None:
        return await services.products.add_units(connection, action.target, units)

    async def step() -> None:
        await sales.restock_sale(services, action.target)

    return await _carry_out(services, action, step, change)


async def cancel_order(services: Services, action: Action, reason: str) -> Declined | None:
    """Cancel an order, and put its units on sale again.

    A V4 order that is still in the queue cannot be cancelled: it exists only as a message.
    """
    # The ledger comes first. An order that settles in between is then found in PostgreSQL.
    claim = await services.ledger.get(*split_order_id(action.target))

    async def change(connection: Connection) -> Declined | None:
        status = await services.orders.cancel_even_if_confirmed(
            connection, action.target, claim, reason
        )
        return None if status else Declined.NO_SUCH_ORDER

    async def step() -> None:
        await give_back(services, action.target)

    return await _carry_out(services, action, step, change)


async def record_refund(services: Services, action: Action) -> Declined | None:
    """Record that the payment `action.target`, which was to be refunded, was refunded."""

    async def change(connection: Connection) -> Declined | None:
        if await services.payments.mark_refunded(connection, action.target):
            return None
        decision = await services.payments.get_decision(connection, action.target)
        if decision is None:
            return Declined.NO_SUCH_PAYMENT
        return None if decision is Decision.REFUNDED else Declined.NOT_REFUND_DUE

    return await _carry_out(services, action, change=change)


async def change_room(
    services: Services, action: Action, *, paused: bool | None = None, max_rate: int | None = None
) -> Declined | None:
    """Stop or resume the calls of the room of `action.target`, or set its highest rate.

    PostgreSQL has it first, so a loss of Redis changes nothing of it.

    Args:
        max_rate: calls a minute.

    """
    id_ = action.target

    async def change(connection: Connection) -> Declined | None:
        found = await services.room_rows.change(connection, id_, paused=paused, max_rate=max_rate)
        return None if found else Declined.NO_ROOM

    async def step() -> Declined | None:
        done = True
        if paused is not None:
            done = await services.rooms.set_paused(id_, paused=paused)
        if max_rate is not None:
            done = await services.rooms.set_rate(id_, max_rate / 60)
        return None if done else Declined.NEEDS_REBUILD

    return await _carry_out(services, action, step, change)


async def _carry_out(
    services: Services, action: Action, step: Step | None = None, change: Change | None = None
) -> Declined | None:
    """Record an action, and carry it out unless the same request did so before."""
    attempt = await services.audit.begin(action, change, whole=step is None)
    if attempt is None:
        return Declined.KEY_REUSED
    if step and attempt.outcome == BEGUN:
        declined = await step()
        await services.audit.end(attempt, declined or DONE)
        return declined
    return None if attempt.outcome == DONE else Declined(attempt.outcome)
