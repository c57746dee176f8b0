"""The messages in SQS: one order, or an envelope of many V5 claims."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from flashsale.domain.model import (
    ENTRY_ID,
    V5,
    EntryId,
    OrderRow,
    ProductId,
    UserId,
    split_order_id,
)
from flashsale.errors import InvalidMessage

# SQS accepts 256 KB per message on some accounts. 200 claims stay far below 100 KB.
CLAIMS_PER_ENVELOPE = 200
# SQS accepts 10 messages per call, 1 MiB in total.
MESSAGES_PER_CALL = 10


# Units of one order. The column `orders.quantity` holds no more.
Units = Annotated[int, Field(gt=0, lt=2**31)]


# Ledger entry, user, units, correlation id. A list is shorter than an object, and a message holds
# hundreds of them.
EnvelopedClaim = tuple[EntryId, UserId, Units, str]


class QueuedOrder(BaseModel):
    """An order on its way to PostgreSQL. Its JSON is the body of an SQS message.

    The id is made before the push and is the primary key of the row, so a message that is
    delivered twice makes one order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # PostgreSQL rejects NUL, and an order whose id fits no route could never be cancelled.
    id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
    product_id: ProductId
    user_id: UserId
    quantity: Units = 1
    generation: Annotated[int, Field(ge=1, le=5)]
    correlation_id: str = ""

    @model_validator(mode="after")
    def _names_its_ledger_entry(self) -> Self:
        """Reject a V5 order without a ledger entry of its product: it can never be settled."""
        if self.generation == V5:
            product_id, entry_id = split_order_id(self.id)
            if product_id != self.product_id or not re.fullmatch(ENTRY_ID, entry_id):
                raise ValueError("the id names no claim of this product")
        return self

    @classmethod
    def of_claim(
        cls, product_id: str, entry_id: str, user_id: str, quantity: int, correlation_id: str
    ) -> Self:
        """Make the order of a V5 claim. Its id names the product and the ledger entry."""
        return cls(
            id=f"{product_id}:{entry_id}",
            product_id=product_id,
            user_id=user_id,
            quantity=quantity,
            generation=V5,
            correlation_id=correlation_id,
        )

    def is_row(self, row: OrderRow) -> bool:
        """Return whether this row is that of this order, and not of another one with its id."""
        return row.user_id in (None, self.user_id) and row.quantity == self.quantity

    @property
    def entry_id(self) -> str:
        """The ledger entry of a V5 order, whose id is "<product id>:<entry id>"."""
        return split_order_id(self.id)[1]


class Envelope(BaseModel):
    """Many V5 claims of one product in one SQS message."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    product_id: ProductId
    claims: Annotated[list[EnvelopedClaim], Field(min_length=1, max_length=CLAIMS_PER_ENVELOPE)]

    @classmethod
    def of(cls, orders: Sequence[QueuedOrder]) -> Self:
        """Pack orders of one product into an envelope."""
        claims = [(o.entry_id, o.user_id, o.quantity, o.correlation_id) for o in orders]
        return cls.model_construct(product_id=orders[0].product_id, claims=claims)

    def orders(self) -> list[QueuedOrder]:
        """Unpack the orders."""
        return [QueuedOrder.of_claim(self.product_id, *claim) for claim in self.claims]


def _tag(message: Any) -> str:
    """Return which of the two types a parsed message is, by its field names only."""
    return "envelope" if isinstance(message, dict) and "claims" in message else "order"


_MESSAGE: TypeAdapter[Envelope | QueuedOrder] = TypeAdapter(
    Annotated[
        Annotated[Envelope, Tag("envelope")] | Annotated[QueuedOrder, Tag("order")],
        Discriminator(_tag),
    ]
)


def orders_of_message(body: str) -> list[QueuedOrder]:
    """Decode the body of an SQS message: one V4 order, or an envelope of V5 claims.

    Raises:
        InvalidMessage: the body is neither. The text says what is wrong, for the logs and for
            `flashsale dlq peek`.

    """
    try:
        message = _MESSAGE.validate_json(body)
        return message.orders() if isinstance(message, Envelope) else [message]
    except ValidationError as error:
        what = what_is_wrong(error, skip=1)  # the first part of a path is the tag
        raise InvalidMessage(f"not an order: {what}") from error


def what_is_wrong(error: ValidationError, skip: int = 0) -> str:
    """Return where a message is wrong first, and how. It quotes no value of the message.

    Args:
        skip: parts of the path that are left out.

    """
    first = error.errors(include_url=False, include_input=False)[0]
    path = map(str, first["loc"][skip:])
    # The sender chose the field names: print no control characters, and no 256 KB.
    where = ascii(".".join(path))[1:-1][:100] or "body"
    return f"{where}: {first['msg']}"
