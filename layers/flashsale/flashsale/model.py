"""The words of the sale as types: products, orders, and what a claim can end in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from flashsale.errors import InvalidMessage

# Braces are excluded because the product id is the hash tag of its Redis keys ("{id}:stock").
ProductId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]


class Refusal(Enum):
    """Why a purchase was refused. Expected, so a value and not an exception."""

    SOLD_OUT = "sold_out"
    NO_SUCH_PRODUCT = "no_such_product"
    NO_SUCH_USER = "no_such_user"


class OrderStatus(StrEnum):
    """How an order stands in PostgreSQL."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


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
    def from_message(cls, body: str) -> Self:
        """Decode the body of an SQS message.

        Raises:
            InvalidMessage: with what is wrong, for the logs and for `flashsale dlq peek`.

        """
        try:
            return cls.model_validate_json(body)
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
