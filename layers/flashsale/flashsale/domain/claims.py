"""A V5 claim: what is asked for, what comes of it, and where the units of a sale are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SaleState(StrEnum):
    """Whether a sale goes on; of its window (`Terms`) it says nothing."""

    OPEN = "open"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a V5 buyer asks for. `address` is where he calls from, if that is known."""

    product_id: str
    user_id: str
    quantity: int
    idempotency_key: str = ""
    correlation_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that is in the ledger.

    Attributes:
        remaining: units.
        leader: this process is to relay it, and others.
        allowed: how many more claims each limit lets through now, by the limit's name.

    """

    order_id: str
    remaining: int
    leader: bool
    allowed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TooMany:
    """A claim that came too early: the name of the limit, and seconds to wait."""

    limit: str
    wait: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where every unit of a V5 sale is, at one instant; `stock` to `released` in units.

    While the sale is paused, or once it has ended, `stock` is what was put aside. `generation`
    sells the product; None while the first purchase is still to decide that.
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

    @property
    def balanced(self) -> bool:
        """The live invariant, which holds at every instant."""
        return self.initial == self.stock + self.unsettled + self.settled
