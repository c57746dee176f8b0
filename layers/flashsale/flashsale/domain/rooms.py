"""Waiting rooms: who may buy now, and when it is the turn of the others.

Each user has one *place*, a number from 0. The room has one counter, *serving*: a user is *called*
when their place is below it. Who is called may be *admitted*: they are *inside*, and can claim.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Mode(StrEnum):
    """How places are given to those who join before the opening. Later ones follow in order."""

    FIFO = "fifo"
    DRAW = "draw_at_opening"


class RoomState(StrEnum):
    """What a room does now, as buyers see it."""

    CLOSED = "closed"  # nobody can join yet
    PREQUEUE = "prequeue"  # before the opening, and until the draw is shown
    OPEN = "open"
    PAUSED = "paused"  # nobody is called; places are kept
    SOLD_OUT = "sold_out"  # no units are left now; some may return
    ENDED = "ended"


class Why(StrEnum):
    """What limited the last call."""

    NOBODY = "nobody"  # everybody who waits was called
    RATE = "rate"
    INSIDE = "inside"  # as many are inside as may be
    STOCK = "stock"  # as many are inside as there are units, times 1.5
    PIPELINE = "pipeline"  # orders are late, so the rate was lowered
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class RoomTerms:
    """How a room admits.

    Attributes:
        from_at: when users can join; None for at once.
        max_inside: users inside at once.
        max_rate: calls a minute, at most.
        admission_seconds: how long an admitted user stays inside.
        call_seconds: how long a called user may wait before they ask to be admitted.

    """

    mode: Mode = Mode.DRAW
    from_at: datetime | None = None
    max_inside: int = 200
    max_rate: int = 600
    admission_seconds: int = 120
    call_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Room:
    """The room of one opening of a sale: a row of `rooms`.

    Attributes:
        epoch: counts the rooms of a product, from 1. Tickets of an earlier one are worth nothing.
        opens_at: when the sale opens, and the places are drawn.
        seed: 32 bytes in hex; secret until the draw is shown.
        drawn: how many had joined at the opening; None before.
        serving, issued: as they were saved; Redis may be ahead.
        joins_a_minute: how many joined a minute before the last save.
        paused: whether an admin has stopped the calls.
        opened: whether a sale was opened with it.

    """

    product_id: str
    epoch: int
    terms: RoomTerms
    opens_at: datetime
    seed: str
    drawn: int | None = None
    serving: int = 0
    issued: int = 0
    joins_a_minute: int = 0
    paused: bool = False
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """Those who joined, as Redis knows them. All times are ms since 1970, by the clock of Redis.

    Attributes:
        issued: arrivals so far; the next user gets this number.
        drawn: how many had joined at the opening; None before.
        shown: whether the draw may be shown: PostgreSQL has it.

    """

    epoch: int
    mode: Mode
    from_at: int
    opens_at: int
    now: int
    issued: int
    drawn: int | None
    shown: bool
    commitment: str
    seed: str

    def will_draw(self, number: int) -> bool:
        """Whether the place of this arrival number is still to be drawn, or to be shown."""
        drawn_later = self.drawn is None or number < self.drawn
        return self.mode is Mode.DRAW and not self.shown and drawn_later

    @property
    def callable(self) -> int:
        """How many places exist that can be called: none before the draw is shown."""
        return self.issued if self.shown else 0


@dataclass(frozen=True, slots=True)
class Door:
    """Who was called, and who is inside. The rate is in calls a second.

    Attributes:
        recent: calls of the last 60 s.
        max_rate: calls a second, at most.
        admitted: admissions since the opening.
        stock, held: units.

    """

    epoch: int
    serving: int
    rate: float
    max_rate: float
    max_inside: int
    recent: int
    inside: int
    admitted: int
    stock: int
    held: int
    state: str
    why: Why


@dataclass(frozen=True, slots=True)
class RoomView:
    """The public state of a room, the same for everybody."""

    queue: Queue
    door: Door

    @property
    def state(self) -> RoomState:
        """What the room does now."""
        if self.door.state == "ended":
            return RoomState.ENDED
        if self.queue.now < self.queue.from_at:
            return RoomState.CLOSED
        if not self.queue.shown:
            return RoomState.PREQUEUE
        if self.door.state == "paused" or self.door.why is Why.PAUSED:
            return RoomState.PAUSED
        return RoomState.OPEN if self.door.stock > 0 else RoomState.SOLD_OUT

    @property
    def waiting(self) -> int:
        """How many have a place that was not called yet."""
        return max(0, self.queue.issued - self.door.serving)


@dataclass(frozen=True, slots=True)
class Joined:
    """The arrival number of a user, from 0; the same for each request of this user.

    Attributes:
        epoch: of the room that the number is for. It may be newer than what the caller knows.

    """

    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nobody can join before `from_at` (ms since 1970)."""

    from_at: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """A user who is inside until `until` (ms since 1970)."""

    until: int


@dataclass(frozen=True, slots=True)
class Waits:
    """A user whose turn it is not yet: `ahead` users are called before."""

    place: int
    ahead: int


class NotAdmitted(StrEnum):
    """Why a called user is not let in."""

    LAPSED = "place_lapsed"  # they were called long ago, or were inside before
    FULL = "room_full"  # for a moment, as many are inside as may be


class AdmissionCheck(StrEnum):
    """What is known of an admission without Redis."""

    VALID = "valid"
    OVER = "over"  # it was valid, and its time has ended
    REQUIRED = "required"  # there is none, or it is for another user, product or epoch


class Admissions(Protocol):
    """Checks the admissions that this shop has signed."""

    def check_admission(
        self, token: str, user_id: str, product_id: str, epoch: int
    ) -> AdmissionCheck:
        """Return whether this is an admission of this user to this room, as far as one can tell.

        It may have been used. Only claim.lua knows who is inside.
        """
