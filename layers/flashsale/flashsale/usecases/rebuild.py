"""Use case of the operator: rebuild a sale after Redis has lost it, or a part of it.

While Redis is wrong, PostgreSQL prevents overselling: an order that does not fit into the stock is
CANCELLED. Once no order is on its way any more, PostgreSQL knows what is left to sell.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from flashsale.domain.model import ON_POSTGRES, V5, Terms
from flashsale.redis_store.return_codes import Opening
from flashsale.services import Services
from flashsale.usecases.relay import sweep
from flashsale.usecases.rooms import room_to_rebuild
from flashsale.usecases.sales import put_on_sale

# Seconds for which ledger and queues must stay empty. A relay or a V4 purchase that took its claim
# before the pause sends it within that time.
GRACE = 8.0


class StillBusy(Exception):
    """Orders are still on their way. The sales stay paused; run the rebuild again."""


class NotRebuilt(Exception):
    """Some sales were not rebuilt. The text says which, and why."""


async def rebuild(
    services: Services,
    product_ids: Sequence[str],
    messages: Callable[[], int],
    deadline: float,
    terms: Terms | None = None,
    grace: float = GRACE,
) -> dict[str, int]:
    """Pause these sales, drain them, set their stock from PostgreSQL, and open them again.

    Args:
        messages: counts the messages in all queues.
        deadline: seconds to wait until nothing is on its way.
        terms: the terms of sales that Redis has lost. Other sales keep theirs.
        grace: seconds for which everything must stay empty.

    Returns:
        The units on sale, by product.

    Raises:
        StillBusy: orders are still on their way after `deadline`.
        NotRebuilt: some sales were not rebuilt. The others are open again.

    """
    known = {id_: await services.stock.pause_to_rebuild(id_) for id_ in product_ids}
    try:
        async with asyncio.timeout(deadline):
            await _drain(services, product_ids, messages)
            await asyncio.sleep(grace)
            await _drain(services, product_ids, messages)
    except TimeoutError:
        waiting = sum([await services.ledger.count(id_) for id_ in product_ids])
        raise StillBusy(
            f"{waiting} claims and {messages()} messages still wait after {deadline:.0f} s"
        ) from None
    opened, missed = {}, []
    for product_id in product_ids:
        if supply := await services.products.get_supply(product_id):
            sale = known[product_id] or terms or Terms(hold_seconds=supply.hold_seconds)
            lost = known[product_id] is None
            room = await room_to_rebuild(services, product_id, lost=lost)
            if room is None and not lost and await services.rooms.get_epoch(product_id):
                missed.append(f"{product_id} stays paused, as PostgreSQL has lost its room")
                continue
            if room and sale.generation not in {None, V5}:
                missed.append(f"{product_id} stays paused, as only V5 has waiting rooms")
                continue
            if room:
                # A sale that Redis has lost may not have begun.
                starts_at = sale.starts_at or (room.opens_at if lost else None)
                sale = replace(sale, room=room.terms, starts_at=starts_at)
            units = supply.initial - supply.confirmed - supply.reserved
            if (sale.generation or supply.generation) in ON_POSTGRES:
                units = supply.stock  # V1 may have confirmed more than there was
            opening = await put_on_sale(services, supply, units, sale, room, again=True)
            if opening is Opening.OPENED:
                opened[product_id] = units
            elif opening is Opening.OTHER_GENERATION:
                missed.append(
                    f"{product_id} stays paused, as V{supply.generation} has sold it before"
                )
            else:
                missed.append(f"{product_id} was put on sale meanwhile")
    if missed:
        raise NotRebuilt("; ".join(missed))
    return opened


async def _drain(
    services: Services, product_ids: Sequence[str], messages: Callable[[], int]
) -> None:
    await sweep(services, idle_ms=0, product_ids=product_ids)
    while True:
        unsettled = [await services.ledger.count(id_) for id_ in product_ids]
        if not any(unsettled) and not messages():
            return
        await asyncio.sleep(0.2)
