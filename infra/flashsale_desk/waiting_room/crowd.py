"""Who comes to a waiting room, and what became of them."""

import math
from dataclasses import dataclass, field

from flashsale.domain.rooms import Why


@dataclass(frozen=True)
class Crowd:
    """Who comes, and how the room is set up. Times are seconds.

    Attributes:
        people: users who joined before the opening.
        arrivals: users a minute who join after it.
        no_shows: share of the called who never ask to be admitted.
        leavers: share of the admitted who never buy.
        per_minute: calls a minute, at most.
        seconds_to_come: from the call until a user asks to be admitted, on average.
        seconds_to_buy: from the admission until a user buys, on average.
        orders_per_second: orders that the pipeline writes.

    """

    people: int = 20_000
    arrivals: float = 0
    units: int = 500
    no_shows: float = 0.6
    leavers: float = 0
    per_minute: float = 30
    max_inside: int = 200
    admission_seconds: float = 120
    call_seconds: float = 300
    seconds_to_come: float = 15
    seconds_to_buy: float = 40
    orders_per_second: float = 100


@dataclass
class Outcome:
    """What became of the crowd. Waits are ms from the opening, or from a later arrival.

    Attributes:
        sold_out_at: ms after the opening; None if units are left.
        waits: of the buyers, until they were admitted.
        no_shows: called, and never came.
        lapsed: came too long after the call.
        turned_away: came when no unit was left.
        left: admitted, and never wanted to buy.
        too_slow: admitted, and their time ran out before they bought.
        refused: admitted, and found nothing.
        limits: seconds by what limited the calls.

    """

    sold_out_at: int | None = None
    called: int = 0
    no_shows: int = 0
    lapsed: int = 0
    turned_away: int = 0
    admitted: int = 0
    left: int = 0
    too_slow: int = 0
    refused: int = 0
    most_inside: int = 0
    still_waiting: int = 0
    waits: list[int] = field(default_factory=list)
    limits: dict[Why, int] = field(default_factory=dict)

    @property
    def limit(self) -> Why | None:
        """What limited the calls for the longest time."""
        return max(self.limits, key=self.limits.__getitem__, default=None)

    def wait(self, share: float) -> int | None:
        """Return the wait that this share of the buyers had at most; None without buyers."""
        if not self.waits:
            return None
        return sorted(self.waits)[max(0, math.ceil(share * len(self.waits)) - 1)]
