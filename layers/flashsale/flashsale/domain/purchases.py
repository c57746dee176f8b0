"""The results of purchases of V1 to V4. Those of V5 are in `claims`."""

from dataclasses import dataclass

from flashsale.domain.model import OrderRow, Product


@dataclass(frozen=True, slots=True)
class Purchase:
    """The result of a synchronous generation (V1 to V3): the updated product and the order."""

    updated_product: Product
    placed_order: OrderRow


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of V4: the order is queued, and will be CONFIRMED or CANCELLED."""

    order_id: str
