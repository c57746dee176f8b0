"""Use cases of waiting rooms for users: join a room, be admitted, leave."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from flashsale.domain.draw import place_of
from flashsale.domain.rooms import Admitted, Joined, Mode, NotAdmitted, NotYet, RoomState, RoomView
from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale.usecases.room_looks import view

if TYPE_CHECKING:
    from flashsale.auth.room_tokens import RoomTokens, Ticket


class TurnedAway(StrEnum):
    """Why a client gets nothing from a room. The values are the codes of its answers."""

    NO_ROOM = "not_found"
    TICKET_INVALID = "ticket_invalid"
    ENDED = "sale_not_open"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a user has, and the room at that time. `ticket` proves the place."""

    ticket: str
    number: int
    view: RoomView


@dataclass(frozen=True, slots=True)
class Pass:
    """The admission of a user who is inside until `until` (ms since 1970)."""

    admission: str
    until: int


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn of a user who is not inside. `place` is None until the places are drawn."""

    place: int | None
    view: RoomView

    @property
    def ahead(self) -> int | None:
        """How many users are called before this one; 0 if it is their turn."""
        return None if self.place is None else max(0, self.place - self.view.door.serving)


async def join(
    services: Services, product_id: str, user_id: str, token: str = ""
) -> Place | NotYet | TurnedAway:
    """Give a user a place, or the place that they have already.

    A user has one place, however often and from wherever they join. Only after their turn has
    lapsed they get a new one, at the end. They show it by `token`, the ticket of the lapsed place.
    """
    room = await view(services, product_id)
    if room is None:
        return TurnedAway.NO_ROOM
    if room.state is RoomState.ENDED:
        return TurnedAway.ENDED
    ticket = _read_ticket(services, room, product_id, token, user_id)
    again = ticket is not None and await _has_lapsed(services, room, ticket)
    proof = {"number": ticket.number, "epoch": ticket.epoch} if ticket else {}
    joined = await services.rooms.join(product_id, user_id, **proof, again=again)
    if joined is None:
        return TurnedAway.NO_ROOM
    if isinstance(joined, NotYet):
        return joined
    signed = _tokens(services).ticket(user_id, product_id, joined.epoch, joined.number)
    return Place(signed, joined.number, room)


async def ask_admission(
    services: Services, product_id: str, token: str, user_id: str | None
) -> Pass | Turn | NotAdmitted | TurnedAway:
    """Let a called user in, or say when it will be their turn.

    Until they are called, it asks Redis nothing. A repeat gives the same admission.

    Args:
        user_id: whose ticket it must be; None for anybody's.

    """
    room = await view(services, product_id)
    if room is None:
        return TurnedAway.NO_ROOM
    ticket = _read_ticket(services, room, product_id, token, user_id)
    if ticket is None:
        return TurnedAway.TICKET_INVALID
    if room.state is RoomState.ENDED:
        return TurnedAway.ENDED
    place = _place_of(room, ticket)
    if place is None or place >= room.door.serving:
        return Turn(place, room)
    return await _let_in(services, room, ticket, place)


async def _let_in(
    services: Services, room: RoomView, ticket: "Ticket", place: int
) -> Pass | Turn | NotAdmitted | TurnedAway:
    product_id, user_id, epoch = ticket.product_id, ticket.user_id, ticket.epoch
    rooms = services.rooms
    joined = await rooms.join(product_id, user_id, number=ticket.number, epoch=epoch)
    if isinstance(joined, Joined) and joined.number != ticket.number:
        return NotAdmitted.LAPSED  # they have another place since
    admitted = await rooms.admit(product_id, user_id, place, epoch)
    match admitted:
        case Admitted(until=until):
            sign = _tokens(services).admission
            return Pass(sign(user_id, product_id, epoch, until), until)
        case NotAdmitted.LAPSED:
            return admitted
        case None:  # the sale was opened anew since this copy
            return TurnedAway.TICKET_INVALID
    return Turn(place, room)  # as many are inside as may be


async def leave(
    services: Services, product_id: str, token: str, user_id: str | None
) -> TurnedAway | None:
    """Free the slot of a user who is inside. Their place stays used; a repeat changes nothing."""
    room = await view(services, product_id)
    if room is None:
        return TurnedAway.NO_ROOM
    ticket = _read_ticket(services, room, product_id, token, user_id)
    if ticket is None:
        return TurnedAway.TICKET_INVALID
    await services.rooms.leave(product_id, ticket.user_id)
    return None


def _read_ticket(
    services: Services, room: RoomView, product_id: str, token: str, user_id: str | None
) -> "Ticket | None":
    """Return a ticket of this room, and of this user if one is given."""
    ticket = _tokens(services).read_ticket(token, product_id) if token else None
    if ticket is None or ticket.epoch != room.queue.epoch:
        return None
    return ticket if user_id in (None, ticket.user_id) else None


def _tokens(services: Services) -> "RoomTokens":
    if services.room_tokens is None:
        raise ServiceUnavailable("ROOM_SECRET is not set here, and this product has a room")
    return services.room_tokens


def _place_of(room: RoomView, ticket: "Ticket") -> int | None:
    """Return the place of a ticket; None while it is not drawn, or nobody may see the draw."""
    queue = room.queue
    if not queue.shown or queue.drawn is None:
        return None
    if queue.mode is Mode.FIFO:
        return ticket.number
    return place_of(ticket.number, queue.drawn, bytes.fromhex(queue.seed))


async def _has_lapsed(services: Services, room: RoomView, ticket: "Ticket") -> bool:
    place = _place_of(room, ticket)
    if place is None or place >= room.door.serving:
        return False
    product_id, user_id, epoch = ticket.product_id, ticket.user_id, ticket.epoch
    admitted = await services.rooms.admit(product_id, user_id, place, epoch, look=True)
    return admitted is NotAdmitted.LAPSED
