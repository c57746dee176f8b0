"""The words of the sale as types: products, orders, and what a claim can end in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from flashsale.errors import InvalidMessage

# The generation that keeps a ledger.
V5 = 5

# Braces are excluded because the product id is the hash tag of its Redis keys ("{id}:stock").
ProductId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]


ENTRY_ID = r"^[0-9]{1,19}-[0-9]{1,19}$"
EntryId = Annotated[str, StringConstraints(pattern=ENTRY_ID)]
# Ledger entry, user, units, correlation id: a list and no object, because a message holds hundreds.
EnvelopedClaim = tuple[EntryId, UserId, Annotated[int, Field(gt=0)], str]


class Refusal(Enum):
    """Why a purchase was refused. Expected, so a value and not an exception."""

    SOLD_OUT = "sold_out"
    NO_SUCH_PRODUCT = "no_such_product"
    NO_SUCH_USER = "no_such_user"
    SALE_NOT_OPEN = "sale_not_open"
    PURCHASE_LIMIT = "purchase_limit"
    KEY_REUSED = "idempotency_key_reused"


class OrderStatus(StrEnum):
    """How an order stands in PostgreSQL."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Terms:
    """When and to whom a product is sold. `limit_per_buyer` is in units, 0 for any number."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    limit_per_buyer: int = 0


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
    """How an order stands, and why if it was cancelled."""

    status: OrderStatus
    reason: str | None


class Order(BaseModel):
    """An order on its way to PostgreSQL; its JSON is the body of an SQS message.

    The id is made before the push and is the primary key of the row, so that a message delivered
    twice makes one order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    product_id: ProductId
    user_id: UserId
    quantity: Annotated[int, Field(gt=0)] = 1
    generation: Annotated[int, Field(ge=1, le=5)]
    correlation_id: str = ""

    @classmethod
    def of_claim(
        cls, product_id: str, entry_id: str, user_id: str, quantity: int, correlation_id: str
    ) -> Self:
        """The order of a V5 claim; its id names the product and the ledger entry."""
        return cls(
            id=f"{product_id}:{entry_id}",
            product_id=product_id,
            user_id=user_id,
            quantity=quantity,
            generation=V5,
            correlation_id=correlation_id,
        )

    @property
    def entry_id(self) -> str:
        """The ledger entry of a V5 order, whose id is "<product id>:<entry id>"."""
        return self.id.rpartition(":")[2]


class Envelope(BaseModel):
    """Many V5 claims of one product in one SQS message."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    product_id: ProductId
    claims: Annotated[list[EnvelopedClaim], Field(min_length=1)]

    @classmethod
    def of(cls, orders: Sequence[Order]) -> Self:
        """Pack orders of one product."""
        claims = [(o.entry_id, o.user_id, o.quantity, o.correlation_id) for o in orders]
        return cls.model_construct(product_id=orders[0].product_id, claims=claims)

    def orders(self) -> list[Order]:
        """Unpack them."""
        return [Order.of_claim(self.product_id, *claim) for claim in self.claims]


def orders_of_message(body: str) -> list[Order]:
    """Decode the body of an SQS message: one V4 order, or an envelope of V5 claims.

    Raises:
        InvalidMessage: with what is wrong, for the logs and for `flashsale dlq peek`.

    """
    try:
        if '"claims"' in body:
            return Envelope.model_validate_json(body).orders()
        return [Order.model_validate_json(body)]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise InvalidMessage(f"not an order: {where}: {first['msg']}") from error


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a synchronous generation (V1 to V3) answers: the product after it, and the order."""

    updated_product: Product
    placed_order: PlacedOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an asynchronous generation (V4) answers: the order will be CONFIRMED or CANCELLED."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a V5 buyer asks for."""

    product_id: str
    user_id: str
    quantity: int
    idempotency_key: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that is in the ledger. `leader`: this process is to relay it, and others."""

    order_id: str
    remaining: int
    leader: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where every unit of a V5 sale is, at one instant; all but `entries` in units."""

    stock: int
    unsettled: int
    initial: int
    accepted: int
    settled: int
    released: int
    entries: int

    @property
    def balanced(self) -> bool:
        """The live invariant, which holds at every instant."""
        return self.initial == self.stock + self.unsettled + self.settled
