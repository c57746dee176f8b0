"""The types of a sale: products, orders, and the outcomes of a purchase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from flashsale.domain.rooms import RoomTerms

# The generation that has a ledger.
V5 = 5
# Generations that sell from PostgreSQL's stock; the others sell from Redis.
ON_POSTGRES = frozenset({1, 2})

# The reason of an order that was cancelled because the stock was too small.
NO_UNITS_LEFT = "no units left in PostgreSQL"

# Up to 64 characters. Braces are excluded, because the product id is the hash tag of its Redis keys
# ("{id}:stock"). "." and ".." are excluded, because clients treat them (also as %2e) as path steps.
# The regular expressions of pydantic have no look-ahead.
PRODUCT_ID = (
    r"^(?:[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,63}"
    r"|\.[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,62}"
    r"|\.\.[A-Za-z0-9._:-]{1,62})$"
)

ProductId = Annotated[str, StringConstraints(pattern=PRODUCT_ID)]

USER_ID = r"^[!-~]{1,128}$"

UserId = Annotated[str, StringConstraints(pattern=USER_ID)]

# The characters of an order id of any generation: a UUID, or "<product id>:<ledger entry>".
ORDER_ID = r"^[A-Za-z0-9._:-]{1,128}$"

ENTRY_ID = r"^[0-9]{1,19}-[0-9]{1,19}$"

EntryId = Annotated[str, StringConstraints(pattern=ENTRY_ID)]


def split_order_id(order_id: str) -> tuple[str, str]:
    """Split the id of a V5 order into product id and ledger entry; return ("", id) for others."""
    product_id, _, entry_id = order_id.rpartition(":")
    return product_id, entry_id


class Refusal(Enum):
    """Why a purchase was refused. It is expected, so it is a value and not an exception."""

    SOLD_OUT = "sold_out"
    NO_SUCH_PRODUCT = "no_such_product"
    NO_SUCH_USER = "no_such_user"
    SALE_NOT_OPEN = "sale_not_open"
    PURCHASE_LIMIT = "purchase_limit"
    KEY_REUSED = "idempotency_key_reused"
    ADMISSION_REQUIRED = "admission_required"
    ADMISSION_OVER = "admission_over"


@dataclass(frozen=True, slots=True)
class SoldBy:
    """A refusal, because another generation sells the product."""

    product_id: str
    generation: int

    @property
    def value(self) -> str:
        """Its stable code, like that of the members of `Refusal`."""
        return "other_generation"


NotSold = Refusal | SoldBy
"""Why a generation sold nothing."""


class Declined(StrEnum):
    """Why an admin's action was not carried out. It is also the outcome in the audit log."""

    NO_SUCH_PRODUCT = "no_such_product"
    PRODUCT_EXISTS = "product_exists"
    TOO_MANY_UNITS = "too_many_units"
    NO_SALE = "no_sale"
    SALE_RUNNING = "sale_running"
    SALE_PAUSED = "sale_paused"
    SALE_ENDED = "sale_ended"
    NEEDS_REBUILD = "needs_rebuild"
    OTHER_GENERATION = "other_generation"
    NO_ROOM_SECRET = "no_room_secret"  # noqa: S105 - a code
    NO_ROOM = "no_room"
    NO_SUCH_ORDER = "no_such_order"
    NO_SUCH_PAYMENT = "no_such_payment"
    NOT_REFUND_DUE = "not_refund_due"
    KEY_REUSED = "idempotency_key_reused"


class OrderStatus(StrEnum):
    """The status of an order in PostgreSQL. Nothing leads out of EXPIRED and CANCELLED."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


class Written(NamedTuple):
    """What PostgreSQL says of an order.

    Attributes:
        held_until: when the hold of a RESERVED order ends, in ms since 1970; None without a hold.

    """

    status: OrderStatus
    held_until: int | None = None


class Hold(NamedTuple):
    """The units of a RESERVED order. `until` is in ms since 1970, by PostgreSQL's clock."""

    order_id: str
    units: int
    until: int


@dataclass(frozen=True, slots=True)
class Terms:
    """When, to whom and by which generation a product is sold.

    Attributes:
        limit_per_buyer: the purchase limit in units, 0 for none. Only V5 enforces it, so a limit
            implies V5.
        generation: 1 to 5; None leaves it to the first purchase.
        hold_seconds: the time to pay an order, in seconds; 0: orders are CONFIRMED at once. Only V5
            has payment holds, so one implies V5.
        room: the waiting room that guards the sale; None for none. Only V5 has waiting rooms, so
            one implies V5.

    Raises:
        ValueError: the generation does not have what the terms need.

    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    limit_per_buyer: int = 0
    generation: int | None = None
    hold_seconds: int = 0
    room: RoomTerms | None = None

    def __post_init__(self) -> None:
        """Choose V5 if there is a purchase limit, a payment hold or a waiting room."""
        needs = {
            "keeps a purchase limit": self.limit_per_buyer,
            "has payment holds": self.hold_seconds,
            "has waiting rooms": self.room,
        }
        needed = [name for name, wish in needs.items() if wish]
        if not needed:
            return
        if self.generation not in (None, V5):
            raise ValueError(f"Only V5 {needed[0]}")
        object.__setattr__(self, "generation", V5)


@dataclass(frozen=True, slots=True)
class Product:
    """A row of `products`. `stock` counts the units that no confirmed or reserved order took."""

    id: str
    name: str
    price: Decimal
    currency: str
    initial_stock: int
    stock: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Supply:
    """What PostgreSQL knows about the units of a product, at one instant.

    Attributes:
        initial: the initial units and all restocks. It never decreases.
        stock: units that no confirmed or reserved order has taken.
        confirmed: units in confirmed orders.
        holds: the reserved orders.
        returned: ids of cancelled orders whose units are in `stock`, and may be given back to Redis
            again by a retry: those that had taken units before, and those of V4.
        generation: the (highest) generation of the product's orders; None without orders.
        last_entry: the largest ledger entry of the V5 orders; None without any.
        hold_seconds: as in `Terms`.

    """

    product_id: str
    initial: int
    stock: int
    confirmed: int
    returned: Sequence[str] = ()
    holds: Sequence[Hold] = ()
    generation: int | None = None
    last_entry: str | None = None
    hold_seconds: int = 0

    @property
    def reserved(self) -> int:
        """Units in reserved orders."""
        return sum(hold.units for hold in self.holds)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of `orders`.

    Attributes:
        user_id: None for a cancelled order whose user was never registered.
        reason: why the order was cancelled, or expired; else None.
        returned: whether the order was CONFIRMED or RESERVED before it was CANCELLED. Its units
            then went back to PostgreSQL's stock.
        expires_at, amount, currency: until when the buyer may pay, and how much; None of an order
            that was never to be paid.

    """

    id: str
    product_id: str
    user_id: str | None
    quantity: int
    generation: int
    status: OrderStatus
    reason: str | None
    created_at: datetime
    returned: bool = False
    expires_at: datetime | None = None
    amount: Decimal | None = None
    currency: str | None = None
