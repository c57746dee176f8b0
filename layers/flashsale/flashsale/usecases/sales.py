"""Use cases of who runs the shop: open, pause, resume and end a sale, and restock it.

Each is safe to repeat. PostgreSQL is never behind Redis: a unit that Redis sells is one that
PostgreSQL has.
"""

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Declined, Supply, Terms
from flashsale.redis_store.stock import Opening, Pause, Resumption
from flashsale.services import Services
from flashsale.usecases.cancellation import give_back

_NOT_OPENED = {
    Opening.RUNNING_ON_OTHER_TERMS: Declined.SALE_RUNNING,
    Opening.PAUSED: Declined.SALE_PAUSED,
    Opening.NOT_DRAINED: Declined.NEEDS_REBUILD,
    Opening.OTHER_GENERATION: Declined.OTHER_GENERATION,
}
_NOT_PAUSED = {Pause.ENDED: Declined.SALE_ENDED, Pause.NO_SALE: Declined.NO_SALE}
_NOT_RESUMED = {
    Resumption.ENDED: Declined.SALE_ENDED,
    Resumption.NO_SALE: Declined.NO_SALE,
    Resumption.LOST: Declined.NEEDS_REBUILD,
}


async def open_sale(services: Services, product_id: str, terms: Terms) -> Declined | None:
    """Put what PostgreSQL has of a product on sale. A sale that runs on these terms is left alone.

    A sale that has ended can be opened again once it is drained, by the generation that has sold
    the product. With a purchase limit, what buyers got before counts.
    """
    supply = await services.products.get_supply(product_id)
    if supply is None:
        return Declined.NO_SUCH_PRODUCT
    return _NOT_OPENED.get(await put_on_sale(services, supply, supply.stock, terms))


async def put_on_sale(
    services: Services, supply: Supply, units: int, terms: Terms, *, again: bool = False
) -> Opening:
    """Open a sale with units that were read from `supply`; `again`: the caller has drained it."""
    id_ = supply.product_id
    buyers = await services.orders.units_by_buyer(id_) if terms.limit_per_buyer else {}
    opening = await services.stock.open_sale(id_, units, terms, buyers, supply, again=again)
    # What PostgreSQL got between that reading and the opening found no sale to go to.
    now = await services.products.get_supply(id_)
    assert now, "products are never deleted"
    await services.stock.restock(id_, now.initial)
    for order_id in set(now.returned) - set(supply.returned):
        await give_back(services, order_id)
    return opening


async def pause_sale(services: Services, product_id: str) -> Declined | None:
    """Let nobody claim any more, until it is resumed; claims under way become orders."""
    return _NOT_PAUSED.get(await services.stock.pause_sale(product_id))


async def end_sale(services: Services, product_id: str) -> Declined | None:
    """Let nobody claim any more, for good; claims under way become orders."""
    return _NOT_PAUSED.get(await services.stock.pause_sale(product_id, SaleState.ENDED))


async def resume_sale(services: Services, product_id: str) -> Declined | None:
    """Go on with a paused sale."""
    return _NOT_RESUMED.get(await services.stock.resume_sale(product_id))


async def restock_sale(services: Services, product_id: str) -> None:
    """Put on sale what PostgreSQL has got; without a sale, opening it does."""
    if supply := await services.products.get_supply(product_id):
        await services.stock.restock(product_id, supply.initial)
