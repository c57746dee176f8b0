"""Bodies of the routes of waiting rooms."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from flashsale.domain.model import UserId
from flashsale.domain.room_estimates import Chance, poll_after
from flashsale.domain.rooms import Mode, RoomState, RoomView, Why

# What the headers Ticket and Admission may hold: a JSON Web Token, or nothing.
TOKEN = r"^[A-Za-z0-9._-]{0,1024}$"  # noqa: S105 - no password


def at(milliseconds: int) -> datetime:
    """Return a time of Redis (ms since 1970)."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class TicketRequest(BaseModel):
    """Body of `POST …/tickets`. With a token, `userId` may be absent or that of the token."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    user_id: Annotated[UserId | None, Field(examples=["u-0001"])] = None


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class TicketBody(_Body):
    """The ticket of a user. `arrival` counts from 0.

    With `prequeue`, the place will be drawn from `arrival` at `opensAt`. Without it, who joined
    after the draw has the place `arrival`, as has everybody in a `fifo` room.
    """

    ticket: str
    arrival: int
    prequeue: bool
    opens_at: datetime


class AdmissionBody(_Body):
    """The header `Admission` for purchases until `expiresAt`."""

    admission: str
    expires_at: datetime


class TurnBody(_Body):
    """How many users are called before. The wait is in seconds, an estimate and no promise.

    Before the draw nothing is known. The wait is not known either while nobody is called.
    """

    place: int | None
    ahead: int | None
    wait_from: int | None
    wait_to: int | None
    chance: Chance | None


class RoomBody(_Body):
    """The public state of a waiting room.

    Places below `serving` are called. `inside`, `stock` and `held` count users and units.
    `commitment` is the SHA-256 of `seed`, which comes with the draw of `drawn` places. Without
    `from`, users can join at once.
    """

    state: RoomState
    now: datetime
    opens_at: datetime
    from_: Annotated[datetime | None, Field(alias="from")] = None
    mode: Mode
    epoch: int
    commitment: str
    seed: str | None = None
    drawn: int | None = None
    issued: int
    serving: int
    waiting: int
    rate_per_minute: float
    calls_last_minute: int
    why: Why
    inside: int
    max_inside: int
    stock: int
    held: int
    poll_after: int
    stale: bool

    @classmethod
    def of(cls, view: RoomView, *, stale: bool) -> Self:
        """Describe a room. The seed is a secret until the draw is shown."""
        queue, door = view.queue, view.door
        return cls(
            state=view.state,
            now=at(queue.now),
            opens_at=at(queue.opens_at),
            from_=at(queue.from_at) if queue.from_at else None,
            mode=queue.mode,
            epoch=queue.epoch,
            commitment=queue.commitment,
            seed=queue.seed if queue.shown else None,
            drawn=queue.drawn if queue.shown else None,
            issued=queue.issued,
            serving=door.serving,
            waiting=view.waiting,
            rate_per_minute=round(door.rate * 60, 1),
            calls_last_minute=door.recent,
            why=door.why,
            inside=door.inside,
            max_inside=door.max_inside,
            stock=door.stock,
            held=door.held,
            poll_after=poll_after(view),
            stale=stale,
        )
