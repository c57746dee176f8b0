"""Bodies of the admin API about waiting rooms. All rates are calls a minute."""

from typing import Annotated, Self

from pydantic import Field

from flashsale.domain.rooms import Mode, RoomState, RoomTerms, RoomView, Why
from flashsale.http.admin_bodies import AnswerBody, Moment, RequestBody

Rate = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class RoomTermsBody(RequestBody):
    """The waiting room of a sale, in the body of `POST /products/{id}/open`.

    Users can join from `from` on, by default at once. The room opens with the sale.
    `admissionSeconds` is the time that an admitted user has to buy.
    """

    mode: Mode = Mode.DRAW
    from_at: Annotated[Moment | None, Field(alias="from")] = None
    max_inside: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 200
    max_rate: Rate = 600
    admission_seconds: Annotated[int, Field(ge=10, le=3600, strict=True)] = 120

    def terms(self) -> RoomTerms:
        """Return the terms as the use case takes them."""
        return RoomTerms(
            self.mode, self.from_at, self.max_inside, self.max_rate, self.admission_seconds
        )


class RoomRateBody(RequestBody):
    """Body of `POST /products/{id}/room/rate`."""

    max_rate: Rate


class RoomBody(AnswerBody):
    """A waiting room now. `why` says what limited the last call."""

    product_id: str
    epoch: int
    mode: Mode
    state: RoomState
    issued: int
    serving: int
    waiting: int
    inside: int
    max_inside: int
    rate: float
    max_rate: float
    why: Why

    @classmethod
    def of(cls, product_id: str, view: RoomView) -> Self:
        """Return the room at one instant."""
        queue, door = view.queue, view.door
        return cls(
            product_id=product_id,
            epoch=queue.epoch,
            mode=queue.mode,
            state=view.state,
            issued=queue.issued,
            serving=door.serving,
            waiting=view.waiting,
            inside=door.inside,
            max_inside=door.max_inside,
            rate=round(door.rate * 60, 1),
            max_rate=round(door.max_rate * 60, 1),
            why=door.why,
        )
