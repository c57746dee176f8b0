"""What the public state of a room tells a client: when to look again, how long it may take.

These are estimates, never promises.
"""

from enum import StrEnum
from math import ceil

from flashsale.domain.rooms import RoomView

# Seconds between two looks of a client, at least and at most.
SHORTEST, LONGEST = 2, 30
# Clients that wait, for each look a second that they send together.
LOOKS = 2000
# How far the wait may be off, in parts of the estimate.
OFF = 0.3
# Users before one for each unit, from which on none will probably be left.
CROWD = 3


class Chance(StrEnum):
    """Whether units will be left when it is a user's turn."""

    LIKELY = "likely"  # there are more units than users before them
    UNCERTAIN = "uncertain"
    UNLIKELY = "unlikely"  # two of three users before them would have to buy nothing


def poll_after(view: RoomView) -> int:
    """Return the seconds after which a client looks again: more, the more clients wait."""
    return min(LONGEST, max(SHORTEST, view.waiting // LOOKS))


def wait_of(view: RoomView, ahead: int) -> tuple[int, int] | None:
    """Return the fewest and the most seconds until `ahead` users are called.

    It takes the calls of the last minute. If there were none, it is not known: None.
    """
    recent, queue = view.door.recent, view.queue
    if not recent:
        return None
    seconds = min(60.0, max(1.0, (queue.now - queue.opens_at) / 1000))
    wait = ahead * seconds / recent
    return int(wait * (1 - OFF)), ceil(wait * (1 + OFF))


def chance_of(view: RoomView, ahead: int) -> Chance:
    """Return whether units will be left for a user whom `ahead` users are called before.

    Each of those, and of the users inside, buys one unit or none. Held units may return.
    """
    before, stock, held = ahead + view.door.inside, view.door.stock, view.door.held
    if before < stock:
        return Chance.LIKELY
    return Chance.UNCERTAIN if before < CROWD * (stock + held) else Chance.UNLIKELY
