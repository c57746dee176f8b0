"""Bodies of requests and answers, with the names of the original system."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from flashsale.domain.model import Product, ProductId, UserId


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class _Request(BaseModel):
    """A request with an unknown field is rejected: what it asks for could not be sold."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class BuyRequest(_Request):
    """Body of `POST /api/v1/buy` to `/api/v4/buy`: one unit for one buyer."""

    product_id: Annotated[ProductId, Field(examples=["p-01"])]
    user_id: Annotated[UserId, Field(examples=["u-0001"])]
    quantity: Annotated[int, Field(ge=1, le=1, strict=True)] = 1


class ProductBody(_Body):
    """A product. `stock` is live: what can be claimed now, in Redis where its sale is open."""

    id: str
    name: str
    price: float
    currency: str
    initial_stock: int
    stock: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def live(cls, product: Product, in_redis: int | None) -> Self:
        """Return the product with the stock that buyers compete for."""
        body = cls.model_validate(product)
        return body if in_redis is None else body.model_copy(update={"stock": in_redis})


class OrderBody(_Body):
    """A confirmed order."""

    id: str
    user_id: str
    product_id: str
    quantity: int
    status: str
    created_at: datetime


class PurchaseBody(_Body):
    """Answer of V1 to V3."""

    updated_product: ProductBody
    placed_order: OrderBody


class AcceptedBody(_Body):
    """Answer of V4: the order is on its way."""

    message: str = "Order accepted for processing"
    order_id: str


class ErrorBody(BaseModel):
    """Every error of V1 to V4."""

    error: Annotated[str, Field(examples=["Bad Request"])]
    message: Annotated[str, Field(examples=["Out of stock"])]


class ClaimRequest(_Request):
    """Body of `POST /api/v5/buy`. With a token, `userId` may be absent or that of the token."""

    product_id: Annotated[ProductId, Field(examples=["p-01"])]
    user_id: Annotated[UserId | None, Field(examples=["u-0001"])] = None
    quantity: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1


class ClaimBody(_Body):
    """Answer of V5: the claim is in the ledger. `remaining` counts units."""

    order_id: str
    status: str = "PENDING"
    remaining: int


class OrderStateBody(_Body):
    """The status of an order: PENDING, CONFIRMED, or CANCELLED with a reason."""

    order_id: str
    status: str
    reason: str | None = None


class PayableOrderBody(OrderStateBody):
    """The status of an order that is or was to be paid until `expiresAt`.

    It is RESERVED, then CONFIRMED, EXPIRED or CANCELLED. `amount` is a number, as prices are: a
    double holds every amount that an order can have to the cent.
    """

    expires_at: datetime
    amount: float
    currency: str


class StockBody(_Body):
    """Where the units of a V5 sale are, at every instant.

    `initial = stock + unsettled + held + settled`. Units are held while their buyers may pay.
    `state` is open, paused or ended. `stock` can be claimed while the sale is open. `opensAt` is
    absent of a sale without a start.
    """

    stock: int
    unsettled: int
    held: int
    settled: int
    initial: int
    state: str
    opens_at: datetime | None = None


class ProblemBody(BaseModel):
    """Every error of V5 (RFC 9457, application/problem+json); `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class HealthBody(BaseModel):
    """Which backing services answer: each is "up" or "down"."""

    status: Annotated[str, Field(examples=["ok"])]
    services: dict[str, str]
