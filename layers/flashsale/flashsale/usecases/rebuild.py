"""Use case for people: bring a sale back after Redis lost it, or lost a part of it.

While Redis is wrong, the database guard keeps the books: an order that no longer fits is CANCELLED.
Afterwards PostgreSQL says what is left to sell, once nothing is on its way to it any more.
"""

import asyncio
from collections.abc import Callable, Sequence

from flashsale.domain.model import ON_POSTGRES, Terms
from flashsale.redis_store.stock import Opening
from flashsale.services import Services
from flashsale.usecases.relay import sweep
from flashsale.usecases.sales import put_on_sale

# Seconds for which everything must stay empty: longer than a relay or a V4 purchase that read its
# claim before the pause takes to send it.
GRACE = 8.0


class StillBusy(Exception):
    """Orders are on their way still. The sales stay paused; run it again."""


class NotRebuilt(Exception):
    """Sales that stay as they are; the text says which, and why."""


async def rebuild(
    services: Services,
    product_ids: Sequence[str],
    messages: Callable[[], int],
    deadline: float,
    terms: Terms | None = None,
    grace: float = GRACE,
) -> dict[str, int]:
    """Pause these sales, drain, set their stock from PostgreSQL, open them again.

    Args:
        messages: counts what waits in the queues, all of them together.
        deadline: seconds to wait until nothing is on its way.
        terms: of the sales that Redis knows nothing of any more; the others keep theirs.

    Returns:
        The units on sale, by product.

    Raises:
        StillBusy: after `deadline`.
        NotRebuilt: some sales; the others are open again.

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
            sale = known[product_id] or terms or Terms()
            units = supply.initial - supply.confirmed
            if (sale.generation or supply.generation) in ON_POSTGRES:
                units = supply.stock  # V1 may have confirmed more than there was
            opening = await put_on_sale(services, supply, units, sale, again=True)
            if opening is Opening.OPENED:
                opened[product_id] = units
            elif opening is Opening.OTHER_GENERATION:
                missed.append(
                    f"{product_id} stays paused, as V{supply.generation} has sold it before"
                )
            else:
                missed.append(f"Somebody put {product_id} on sale meanwhile")
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
