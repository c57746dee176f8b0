"""Read what payment holds and payments still wait for."""

from collections.abc import Sequence

from flashsale.domain.hold_figures import HoldFigures
from flashsale.services import Services
from flashsale.usecases.holds import ASK_AGAIN

# Holds of one product whose orders are looked for in PostgreSQL.
AT_MOST = 1000


async def read_hold_figures(services: Services, product_ids: Sequence[str]) -> HoldFigures:
    """Read the figures from both stores.

    A hold without an order is asked about again and again, so it is always among those that are
    due within `ASK_AGAIN` seconds. At most `AT_MOST` of these are looked at.

    Args:
        product_ids: products on sale, whose holds in Redis are looked at. The other figures are
            those of all products.

    """
    due: list[str] = []
    for product_id in product_ids:
        holds = await services.held_claims.list_due(product_id, AT_MOST, within=ASK_AGAIN)
        due += holds.values()
    return HoldFigures(
        overdue=await services.holds.read_overdue(),
        payments=await services.holds.count_open_payments(),
        # Redis was read before. An order is written before it is held.
        without_order=await services.holds.count_missing(due) if due else 0,
    )
