"""What travels in SQS: an order, or many V5 claims in one envelope."""

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

from flashsale.domain.model import ENTRY_ID, V5, EntryId, ProductId, UserId, split_order_id
from flashsale.errors import InvalidMessage

# SQS takes 256 KB a message on some accounts; 200 claims stay far below 100 KB.
CLAIMS_PER_ENVELOPE = 200
# SQS takes 10 messages a call, 1 MiB in all.
ENVELOPES_PER_CALL = 10


# Units of one order: what the column `orders.quantity` holds.
Units = Annotated[int, Field(gt=0, lt=2**31)]


# Ledger entry, user, units, correlation id: a list and no object, because a message holds hundreds.
EnvelopedClaim = tuple[EntryId, UserId, Units, str]


class QueuedOrder(BaseModel):
    """An order on its way to PostgreSQL; its JSON is the body of an SQS message.

    The id is made before the push and is the primary key of the row, so that a message delivered
    twice makes one order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # PostgreSQL takes no NUL, and an id that no route can name could never be cancelled.
    id: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
    product_id: ProductId
    user_id: UserId
    quantity: Units = 1
    generation: Annotated[int, Field(ge=1, le=5)]
    correlation_id: str = ""

    @model_validator(mode="after")
    def _names_its_ledger_entry(self) -> Self:
        """A V5 order that names no entry of its product's ledger can never be settled."""
        if self.generation == V5:
            product_id, entry_id = split_order_id(self.id)
            if product_id != self.product_id or not re.fullmatch(ENTRY_ID, entry_id):
                raise ValueError("the id names no claim of this product")
        return self

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
        return split_order_id(self.id)[1]


class Envelope(BaseModel):
    """Many V5 claims of one product in one SQS message."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    product_id: ProductId
    claims: Annotated[list[EnvelopedClaim], Field(min_length=1, max_length=CLAIMS_PER_ENVELOPE)]

    @classmethod
    def of(cls, orders: Sequence[QueuedOrder]) -> Self:
        """Pack orders of one product."""
        claims = [(o.entry_id, o.user_id, o.quantity, o.correlation_id) for o in orders]
        return cls.model_construct(product_id=orders[0].product_id, claims=claims)

    def orders(self) -> list[QueuedOrder]:
        """Unpack them."""
        return [QueuedOrder.of_claim(self.product_id, *claim) for claim in self.claims]


def _tag(message: Any) -> str:
    """Which of the two a parsed message means to be. What its values say plays no part in it."""
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
        InvalidMessage: with what is wrong, for the logs and for `flashsale dlq peek`.

    """
    try:
        message = _MESSAGE.validate_json(body)
        return message.orders() if isinstance(message, Envelope) else [message]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = map(str, first["loc"][1:])  # the first part is the tag
        # A field's name is the sender's: no control characters in a terminal, no 256 KB in a log.
        where = ascii(".".join(path))[1:-1][:100] or "body"
        raise InvalidMessage(f"not an order: {where}: {first['msg']}") from error
