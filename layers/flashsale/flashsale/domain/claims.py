"""Claims of V5: the request, its outcomes, and where the units of a sale are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class SaleState(StrEnum):
    """Whether a sale was paused or ended. Its time window is in `Terms`."""

    OPEN = "open"
    PAUSED = "paused"
    ENDED = "ended"


# Seconds: the longest time to pay an order. A constraint of `products` says the same.
LONGEST_HOLD = 86_400


@dataclass(frozen=True, slots=True)
class Claim:
    """The request of a V5 buyer.

    Attributes:
        address: the client's IP address, if it is known.
        admission: the token that a waiting room gave to the buyer, as it was sent; "" for none.

    """

    product_id: str
    user_id: str
    quantity: int
    idempotency_key: str = ""
    correlation_id: str = ""
    address: str = ""
    admission: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that is in the ledger.

    Attributes:
        remaining: units.
        leader: whether this process got the lease, and must relay the unsent claims.
        allowed: how many more claims each rate limit allows now, by the limit's name.

    """

    order_id: str
    remaining: int
    leader: bool
    allowed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RateLimited:
    """A claim that a rate limit rejected: the name of the limit, and seconds to wait."""

    limit: str
    wait: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where every unit of a V5 sale is, at one instant.

    Attributes:
        stock, unsettled, initial, accepted, settled, released, held: units. In a paused or ended
            sale, `stock` is what was put aside.
        entries: claims in the ledger.
        generation: the generation that sells the product; None until the first purchase decides.
        starts_at: when the sale opens or opened, in ms since 1970; None without a start.

    """

    stock: int
    unsettled: int
    initial: int
    accepted: int
    settled: int
    released: int
    entries: int
    state: SaleState = SaleState.OPEN
    generation: int | None = None
    held: int = 0
    starts_at: int | None = None

    @property
    def opens_at(self) -> datetime | None:
        """When the sale opens or opened; None without a start."""
        return datetime.fromtimestamp(self.starts_at / 1000, UTC) if self.starts_at else None

    @property
    def balanced(self) -> bool:
        """Whether the live invariant holds. It must hold at every instant."""
        return self.initial == self.stock + self.unsettled + self.held + self.settled


def claimed_at(entry_id: str) -> float:
    """Return when a claim was made, in seconds since 1970 by the clock of Redis.

    An entry id begins with its milliseconds.
    """
    return int(entry_id.partition("-")[0]) / 1000
