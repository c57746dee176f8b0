"""Use cases of waiting rooms for clients: look at a room, join it, be admitted, leave.

Nothing runs a room but the looks of its clients: the first look of a second draws the places when
that is due, calls who may come next, and saves how far the room is.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from flashsale.deadline import Deadline
from flashsale.domain.draw import place_of
from flashsale.domain.rooms import Admitted, Joined, Mode, NotAdmitted, NotYet, RoomState, RoomView
from flashsale.errors import DatabaseUnavailable, ServiceUnavailable, StockUnavailable
from flashsale.redis_store.room_copies import RoomCopy
from flashsale.services import Services
from flashsale.usecases.rooms import read_room

if TYPE_CHECKING:
    from flashsale.auth.room_tokens import RoomTokens, Ticket

# Seconds that PostgreSQL has to save a room.
SAVE_TIME = 2.0
# The same where a client waits for it: Lambda runs nothing after an answer.
SAVE_TIME_IN_A_REQUEST = 0.5

logger = logging.getLogger(__name__)


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


async def look(services: Services, product_id: str) -> RoomCopy:
    """Return the newest copy of a room; its view is None for a product without one.

    Raises:
        StockUnavailable: Redis does not answer, and there is no copy of the last minute.

    """
    return await services.room_copies.get(product_id, partial(_read, services, product_id))


async def view(services: Services, product_id: str) -> RoomView | None:
    """Return the public state of a room, which may be a second old; see `look`."""
    return (await look(services, product_id)).view


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
    sign = _tokens(services).ticket
    signed = sign(user_id, product_id, joined.epoch, joined.number)
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
    admitted = await services.rooms.admit(ticket.product_id, ticket.user_id, place, ticket.epoch)
    return admitted is NotAdmitted.LAPSED


async def _read(services: Services, product_id: str) -> RoomView | None:
    """Read the room, with what is due: the draw, the next calls, the saving."""
    room = await read_room(services, product_id)
    if room is None:
        if services.room_copies.is_known(product_id):
            await _refuse_if_lost(services, product_id)
        return None
    queue = room.queue
    drawn_now = queue.drawn is not None and not queue.shown
    if await services.rooms.take_turn_to_save(product_id) or drawn_now:
        if services.settings.one_at_a_time:
            await _save(services, product_id, room, SAVE_TIME_IN_A_REQUEST)
        else:
            work = partial(_save, services, product_id, room, SAVE_TIME)
            services.room_copies.run_aside(product_id, work)
    return room


async def _refuse_if_lost(services: Services, product_id: str) -> None:
    """Raise StockUnavailable if Redis has lost a room, so that its users keep their tickets."""
    try:
        guards = await services.room_rows.get(product_id)
    except DatabaseUnavailable as error:
        raise StockUnavailable(f"the room of {product_id} is unknown: {error}") from error
    if guards:
        raise StockUnavailable(f"Redis has lost the room of {product_id}; rebuild the sale")


async def _save(services: Services, product_id: str, room: RoomView, seconds: float) -> None:
    """Save how far the room is; raise nothing. The room goes on while PostgreSQL is down."""
    try:
        await Deadline.after(seconds).bound(_write(services, product_id, room))
    except ServiceUnavailable as error:
        logger.warning("the room of %s was not saved: %s", product_id, error)
    except Exception:
        logger.exception("the room of %s was not saved", product_id)


async def _write(services: Services, product_id: str, room: RoomView) -> None:
    queue, rows = room.queue, services.room_rows
    if queue.drawn is not None:
        # Again at each save: if PostgreSQL was down at the opening, the draw was shown without it.
        counts = await rows.save_draw(product_id, queue.epoch, queue.drawn)
        if not queue.shown:
            await services.rooms.look(product_id, saved=(queue.epoch, counts))
    await rows.save(product_id, queue.epoch, room.door.serving, queue.issued)
