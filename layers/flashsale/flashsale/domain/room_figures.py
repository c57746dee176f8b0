"""The state of a waiting room in figures, for those who watch it: alerts, dashboards, operators."""

import math
from dataclasses import dataclass
from enum import StrEnum

from flashsale.domain.rooms import Why

# The rules of advance.lua: the age in seconds from which a claim is late, the calls a second to
# which late claims lower the rate, and how many are let in for each unit.
LATE = 2.0
FLOOR = 0.5
INSIDE_FOR_A_UNIT = 1.5
# Seconds without a call after which a room is in trouble, though it could call; and after which a
# pause is long.
NO_CALL = 300
LONG_PAUSE = 900


class RoomTrouble(StrEnum):
    """Why users of a room wait for an operator rather than for their turn."""

    PAUSED = "paused"  # for long, or almost: late orders keep the rate at the floor
    STUCK = "stuck"  # nothing keeps the room from calling, and it does not


@dataclass(frozen=True, slots=True)
class RoomFigures:
    """A room at one moment.

    Attributes:
        lost: whether Redis has the door of the room, and not those who joined.
        issued: numbers that were given to users.
        serving: users whose place is below it were called.
        rate, max_rate: calls a second.
        admitted: admissions since the opening, or since Redis lost the room.
        units: units that can be claimed, or that a paused sale keeps.
        why: what limited the last calls; PAUSED while nobody is called now.
        since_call: seconds since the last call, or since the opening.
        since_look: seconds since a client, or a process for its clients, has looked at the room.
        claim_age: seconds since the oldest claim was made that waits for its order.

    """

    product_id: str
    epoch: int
    lost: bool
    opened: bool
    ended: bool
    issued: int
    serving: int
    inside: int
    max_inside: int
    rate: float
    max_rate: float
    admitted: int
    units: int
    why: Why
    since_call: float
    since_look: float
    claim_age: float

    @property
    def waiting(self) -> int:
        """How many have a place that was not called yet; nobody after the end of the sale."""
        return 0 if self.ended else max(0, self.issued - self.serving)

    @property
    def trouble(self) -> RoomTrouble | None:
        """What an operator must look at, if it lasts for some minutes."""
        if self.lost and not self.ended:
            return RoomTrouble.STUCK
        if not self.opened or not self.waiting or not self.units:
            return None
        if self.why is Why.PAUSED:
            return RoomTrouble.PAUSED if self.since_call > LONG_PAUSE else None
        if self.inside >= min(self.max_inside, math.ceil(INSIDE_FOR_A_UNIT * self.units)):
            return None
        if self.since_call > NO_CALL:
            return RoomTrouble.STUCK
        is_at_the_floor = self.rate <= FLOOR < self.max_rate
        return RoomTrouble.PAUSED if is_at_the_floor and self.claim_age > LATE else None
