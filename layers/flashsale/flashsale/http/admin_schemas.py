"""Bodies of the admin API."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from flashsale.domain.amounts import check_price
from flashsale.domain.claims import LONGEST_HOLD, SaleState, Snapshot
from flashsale.domain.model import ProductId, Terms
from flashsale.domain.payments import CURRENCY, Decision
from flashsale.http.admin_bodies import AnswerBody, Moment, RequestBody
from flashsale.http.admin_room_schemas import RoomTermsBody

# No control characters: PostgreSQL takes no NUL, and a line break would begin a new log line.
Text = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200, strip_whitespace=True)
]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class NewProduct(RequestBody):
    """Body of `POST /products`. `stock` counts units. `currency` is that of the price."""

    id: Annotated[ProductId, Field(examples=["p-99"])]
    name: Annotated[Text, Field(examples=["Lamp"])]
    price: Annotated[Price, Field(examples=[49.90])]
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)] = "EUR"
    stock: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]

    @model_validator(mode="after")
    def _can_be_paid(self) -> Self:
        check_price(self.price, self.currency)  # raises ValueError
        return self


class TermsBody(RequestBody):
    """Body of `POST /products/{id}/open`: the times of the sale, and how much a buyer may have.

    `generation` sells the product. Without it the first purchase decides. `holdSeconds` is the time
    to pay an order; with 0 none is to be paid. With `room` users wait until they are called. Only
    V5 keeps a limit, and has payment holds and waiting rooms.
    """

    starts_at: Moment | None = None
    ends_at: Moment | None = None
    limit_per_buyer: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 0
    generation: Annotated[int | None, Field(ge=1, le=5, strict=True)] = None
    hold_seconds: Annotated[int, Field(ge=0, le=LONGEST_HOLD, strict=True)] = 0
    room: RoomTermsBody | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("endsAt must be later than startsAt")
        self.terms()  # raises ValueError for terms that contradict each other
        return self

    def terms(self) -> Terms:
        """Return the terms as the use case takes them."""
        return Terms(
            self.starts_at,
            self.ends_at,
            self.limit_per_buyer,
            self.generation,
            self.hold_seconds,
            self.room.terms() if self.room else None,
        )


class Restock(RequestBody):
    """Body of `POST /products/{id}/restock`."""

    units: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class Cancellation(RequestBody):
    """Body of `POST /orders/{id}/cancel`. Admins read the reason; a buyer reads a general one."""

    reason: Text


class SaleBody(AnswerBody):
    """How a product is on sale now. All counts are units. Without a sale `state` is none.

    `generation` is null until the first purchase decides it. V1 and V2 do not take these units,
    but those in PostgreSQL.
    """

    product_id: str
    state: str
    stock: int | None = None
    unsettled: int | None = None
    held: int | None = None
    settled: int | None = None
    initial: int | None = None
    generation: int | None = None

    @classmethod
    def of(cls, product_id: str, snapshot: Snapshot | None) -> Self:
        """Return the sale at one instant."""
        if snapshot is None:
            return cls(product_id=product_id, state="none")
        return cls(
            product_id=product_id,
            state=snapshot.state,
            stock=snapshot.stock,
            unsettled=snapshot.unsettled,
            held=snapshot.held,
            settled=snapshot.settled,
            initial=snapshot.initial,
            generation=snapshot.generation,
        )


class LedgerBody(AnswerBody):
    """Where the units of a V5 sale are, at one instant."""

    stock: int
    unsettled: int
    initial: int
    accepted: int
    settled: int
    released: int
    held: int
    entries: int
    state: SaleState
    generation: int | None


class BooksBody(AnswerBody):
    """Where every unit of a product is, as `flashsale verify --json` has it.

    `waiting` counts messages in the queues. It is null while SQS does not answer. `unsettled` is an
    upper bound unless `exact`, because the admin function does not read V4's messages. Each of
    them, also a parked one, may be an order of this product. `flashsale verify` reads the messages
    that it can, and counts `parked` units apart.
    """

    product_id: str
    generations: list[int]
    initial: int
    redis_stock: int | None
    postgres_stock: int
    confirmed: int
    reserved: int
    cancelled: int
    expired: int
    waiting: int | None
    ledger: LedgerBody | None
    unsettled: int
    exact: bool
    parked: int
    oversold: int
    lost: int
    imbalance: int
    balanced: bool
    broken: bool


class AllBooksBody(AnswerBody):
    """The books of all products."""

    products: list[BooksBody]


class AuditEntryBody(AnswerBody):
    """An admin's action. `outcome` is begun, done, or the code of the problem that it ended in."""

    id: int
    who: str
    action: str
    target: str
    arguments: dict[str, Any]
    outcome: str
    idempotency_key: str | None
    correlation_id: str
    begun_at: datetime
    ended_at: datetime | None


class AuditBody(AnswerBody):
    """Actions, newest first."""

    actions: list[AuditEntryBody]


class PaymentBody(AnswerBody):
    """A payment of an order, and what becomes of it.

    `decision` is WAITING while the order is not written yet, APPLIED once the order is CONFIRMED by
    it, REFUND_DUE, or REFUNDED. `why` it is or was to be refunded: `late`, `cancelled`,
    `paid twice`, `wrong amount` or `no such order`.
    """

    id: str
    order_id: str
    amount: float
    currency: str
    decision: Decision
    why: str | None
    received_at: datetime
    decided_at: datetime | None


class PaymentsBody(AnswerBody):
    """Payments, newest first."""

    payments: list[PaymentBody]
