"""Use cases that run a sale: open, pause, resume, end and restock it.

Each is idempotent. PostgreSQL changes before Redis, so it has every unit that Redis sells.
"""

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Declined, Supply, Terms
from flashsale.domain.rooms import Room
from flashsale.redis_store.return_codes import Opening, Resumption
from flashsale.services import Services
from flashsale.usecases.cancellation import give_back
from flashsale.usecases.pauses import NOT_PAUSED
from flashsale.usecases.rooms import prepare_room, set_up_room

_NOT_OPENED = {
    Opening.RUNNING_ON_OTHER_TERMS: Declined.SALE_RUNNING,
    Opening.PAUSED: Declined.SALE_PAUSED,
    Opening.NOT_DRAINED: Declined.NEEDS_REBUILD,
    Opening.OTHER_GENERATION: Declined.OTHER_GENERATION,
}
_NOT_RESUMED = {
    Resumption.ENDED: Declined.SALE_ENDED,
    Resumption.NO_SALE: Declined.NO_SALE,
    Resumption.LOST: Declined.NEEDS_REBUILD,
}


_KEEPS_ITS_HOLD = {
    SaleState.OPEN: Declined.SALE_RUNNING,
    SaleState.PAUSED: Declined.SALE_PAUSED,
}


async def open_sale(services: Services, product_id: str, terms: Terms) -> Declined | None:
    """Put the units that PostgreSQL has on sale. A sale that runs on these terms stays unchanged.

    An ended sale can be reopened once it is drained, by the generation that has sold the product.
    A purchase limit counts the units that buyers got before. PostgreSQL gets the payment hold and
    the waiting room before Redis opens: no order of the sale is written without its hold, and a
    room that buyers join outlives Redis.
    """
    supply = await services.products.get_supply(product_id)
    if supply is None:
        return Declined.NO_SUCH_PRODUCT
    room = await prepare_room(services, product_id, terms)
    if isinstance(room, Declined):
        return room
    holds_anew = terms.hold_seconds != supply.hold_seconds
    if holds_anew:
        sale = await services.ledger.snapshot(product_id, count_claims=False)
        if sale and sale.state in _KEEPS_ITS_HOLD:
            return _KEEPS_ITS_HOLD[sale.state]
        await services.products.set_hold(product_id, terms.hold_seconds)
    declined = _NOT_OPENED.get(await put_on_sale(services, supply, supply.stock, terms, room))
    if declined and holds_anew:  # the orders of the earlier sale are still on their way
        await services.products.set_hold(product_id, supply.hold_seconds)
    return declined


async def put_on_sale(
    services: Services,
    supply: Supply,
    units: int,
    terms: Terms,
    room: Room | None = None,
    *,
    again: bool = False,
) -> Opening:
    """Open a sale with units that were read from `supply`.

    Args:
        room: guards the sale.
        again: the caller has drained the sale.

    """
    id_ = supply.product_id
    buyers = await services.orders.units_by_buyer(id_) if terms.limit_per_buyer else {}
    opening = await services.stock.open_sale(
        id_, units, terms, buyers, supply, room=room, again=again
    )
    if opening in {Opening.OPENED, Opening.RUNNING}:
        await set_up_room(services, id_, room)
    # Units that PostgreSQL got between that read and the opening found no sale to go to.
    now = await services.products.get_supply(id_)
    assert now, "products are never deleted"
    await services.stock.restock(id_, now.initial)
    for order_id in set(now.returned) - set(supply.returned):
        await give_back(services, order_id)
    return opening


async def pause_sale(services: Services, product_id: str) -> Declined | None:
    """Stop claims until the sale is resumed. Existing claims still become orders."""
    return NOT_PAUSED.get(await services.stock.pause_sale(product_id))


async def end_sale(services: Services, product_id: str) -> Declined | None:
    """Stop claims for good. Existing claims still become orders."""
    return NOT_PAUSED.get(await services.stock.pause_sale(product_id, SaleState.ENDED))


async def resume_sale(services: Services, product_id: str) -> Declined | None:
    """Resume a paused sale."""
    return _NOT_RESUMED.get(await services.stock.resume_sale(product_id))


async def restock_sale(services: Services, product_id: str) -> None:
    """Put restocked units on sale. If there is no sale, its opening does so."""
    if supply := await services.products.get_supply(product_id):
        await services.stock.restock(product_id, supply.initial)
