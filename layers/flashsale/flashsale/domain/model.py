"""The words of the sale as types: products, orders, and what a claim can end in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated

from pydantic import (
    StringConstraints,
)

# The generation that keeps a ledger.
V5 = 5
# Generations that sell from PostgreSQL's stock; the others sell from Redis.
ON_POSTGRES = frozenset({1, 2})


# Why an order that no longer fits into the stock was cancelled.
NO_UNITS_LEFT = "no units left in PostgreSQL"


# Up to 64 characters. Braces are excluded because the product id is the hash tag of its Redis keys
# ("{id}:stock"); "." and ".." because clients take them, also as %2e, for steps in a path. (The
# regular expressions of pydantic have no look-ahead.)
PRODUCT_ID = (
    r"^(?:[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,63}"
    r"|\.[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,62}"
    r"|\.\.[A-Za-z0-9._:-]{1,62})$"
)


ProductId = Annotated[str, StringConstraints(pattern=PRODUCT_ID)]


USER_ID = r"^[!-~]{1,128}$"


UserId = Annotated[str, StringConstraints(pattern=USER_ID)]


# What an order id of any generation is made of: a UUID, or "<product id>:<ledger entry>".
ORDER_ID = r"^[A-Za-z0-9._:-]{1,128}$"


ENTRY_ID = r"^[0-9]{1,19}-[0-9]{1,19}$"


EntryId = Annotated[str, StringConstraints(pattern=ENTRY_ID)]


def split_order_id(order_id: str) -> tuple[str, str]:
    """The product and the ledger entry that the id of a V5 order names; of another id "" and it."""
    product_id, _, entry_id = order_id.rpartition(":")
    return product_id, entry_id


class Refusal(Enum):
    """Why a purchase was refused. Expected, so a value and not an exception."""

    SOLD_OUT = "sold_out"
    NO_SUCH_PRODUCT = "no_such_product"
    NO_SUCH_USER = "no_such_user"
    SALE_NOT_OPEN = "sale_not_open"
    PURCHASE_LIMIT = "purchase_limit"
    KEY_REUSED = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class SoldBy:
    """A purchase was refused because another generation sells the product."""

    product_id: str
    generation: int

    @property
    def value(self) -> str:
        """Its stable code, as the members of `Refusal` have one."""
        return "other_generation"


NotSold = Refusal | SoldBy
"""Why a generation sold nothing."""


class Declined(StrEnum):
    """Why an admin's action was not carried out: also how its audit row ends."""

    NO_SUCH_PRODUCT = "no_such_product"
    PRODUCT_EXISTS = "product_exists"
    TOO_MANY_UNITS = "too_many_units"
    NO_SALE = "no_sale"
    SALE_RUNNING = "sale_running"
    SALE_PAUSED = "sale_paused"
    SALE_ENDED = "sale_ended"
    NEEDS_REBUILD = "needs_rebuild"
    OTHER_GENERATION = "other_generation"
    NO_SUCH_ORDER = "no_such_order"
    KEY_REUSED = "idempotency_key_reused"


class OrderStatus(StrEnum):
    """How an order stands in PostgreSQL."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Terms:
    """When, to whom and by which generation a product is sold.

    Attributes:
        limit_per_buyer: units, 0 for any number. Only V5 keeps it, so a limit means V5.
        generation: 1 to 5; None leaves it to the first purchase.

    Raises:
        ValueError: a limit for a generation that does not keep it.

    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    limit_per_buyer: int = 0
    generation: int | None = None

    def __post_init__(self) -> None:
        """Let V5 sell what has a limit."""
        if not self.limit_per_buyer:
            return
        if self.generation not in (None, V5):
            raise ValueError("Only V5 keeps a purchase limit")
        object.__setattr__(self, "generation", V5)


@dataclass(frozen=True, slots=True)
class Product:
    """A row of `products`. `stock` counts units that no confirmed order has taken."""

    id: str
    name: str
    price: Decimal
    initial_stock: int
    stock: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Supply:
    """What PostgreSQL has of a product, at one instant.

    Attributes:
        initial: units that it began with or got since; this only ever grows.
        stock: units that no confirmed order has taken.
        confirmed: units in confirmed orders.
        returned: ids of cancelled orders whose units `stock` counts, and which somebody may give
            back to Redis once more: those that were confirmed, and those of V4.
        generation: the generation of the product's orders, the highest one if there are several;
            None without orders.
        last_entry: the largest ledger entry among the orders of V5; None without any.

    """

    product_id: str
    initial: int
    stock: int
    confirmed: int
    returned: Sequence[str] = ()
    generation: int | None = None
    last_entry: str | None = None


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """A row of `orders`, as V1 to V3 answer it."""

    id: str
    user_id: str
    product_id: str
    quantity: int
    status: OrderStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderState:
    """How an order stands since when, and why if it was cancelled; None: a user who never was."""

    user_id: str | None
    quantity: int
    status: OrderStatus
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WrittenOrder:
    """An order's row, with what it takes to undo it.

    Attributes:
        user_id: None for an order that was never confirmed, of a user who never was.
        returned: whether it was CONFIRMED before it was CANCELLED, and so its units went back to
            PostgreSQL's stock.

    """

    id: str
    product_id: str
    user_id: str | None
    quantity: int
    generation: int
    status: OrderStatus
    reason: str | None
    returned: bool


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a synchronous generation (V1 to V3) answers: the product after it, and the order."""

    updated_product: Product
    placed_order: PlacedOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an asynchronous generation (V4) answers: the order will be CONFIRMED or CANCELLED."""

    order_id: str
