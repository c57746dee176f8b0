"""Use case of waiting rooms: look at one.

Nothing runs a room but the looks of its clients: the first look of a second draws the places when
that is due, calls who may come next, and saves how far the room is.
"""

import logging
from functools import partial

from flashsale.deadline import Deadline
from flashsale.domain.rooms import RoomView
from flashsale.errors import DatabaseUnavailable, ServiceUnavailable, StockUnavailable
from flashsale.redis_store.room_copies import RoomCopy
from flashsale.services import Services
from flashsale.usecases.rooms import read_room

# Seconds that PostgreSQL has to save a room.
SAVE_TIME = 2.0
# The same where a client waits for it: Lambda runs nothing after an answer.
SAVE_TIME_IN_A_REQUEST = 0.5

logger = logging.getLogger(__name__)


async def look(services: Services, product_id: str) -> RoomCopy:
    """Return the newest copy of a room; its view is None for a product without one.

    Raises:
        StockUnavailable: Redis does not answer, and there is no copy of the last minute.

    """
    return await services.room_copies.get(product_id, partial(_read, services, product_id))


async def view(services: Services, product_id: str) -> RoomView | None:
    """Return the public state of a room, which may be a second old; see `look`."""
    return (await look(services, product_id)).view


async def _read(services: Services, product_id: str) -> RoomView | None:
    """Read the room, with what is due: the draw, the next calls, the saving."""
    room = await read_room(services, product_id)
    if room is None:
        if services.room_copies.is_known(product_id):
            await _refuse_if_lost(services, product_id)
        return None
    drawn_now = room.queue.drawn is not None and not room.queue.shown
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
