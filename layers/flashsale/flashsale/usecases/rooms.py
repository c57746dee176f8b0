"""Use cases of waiting rooms: what the opening of a sale and its rebuild share.

A room is made in three steps, and each may be the last before a crash: its row in PostgreSQL, then
the sale that it guards, then the queue that users join. Before the last step nobody can join, and
before the second nobody is kept out. The same opening, repeated, does the rest.
"""

from collections.abc import Iterable

from flashsale.domain.claims import SaleState
from flashsale.domain.draw import new_seed
from flashsale.domain.model import Declined, Terms
from flashsale.domain.room_figures import RoomFigures
from flashsale.domain.rooms import Room, RoomView
from flashsale.services import Services

# Numbers that Redis may have given to users since the last save, which was 10 s ago at most: those
# of a thousand joins a second. No two users may have one place, so nobody gets these numbers again.
MARGIN = 10_000


async def prepare_room(services: Services, product_id: str, terms: Terms) -> Room | Declined | None:
    """Return the room for the opening of a sale on these terms, or why there is none.

    A sale that runs keeps its room. The next one gets a new room, with a new seed.
    """
    if terms.room is None:
        return None
    if not services.settings.room_secrets:
        return Declined.NO_ROOM_SECRET
    # First, because an epoch that another opening sets now was not in use before.
    epoch = await services.rooms.get_epoch(product_id)
    sale = await services.ledger.snapshot(product_id, count_claims=False)
    if sale and sale.state is SaleState.OPEN:
        running_epoch = await services.rooms.get_epoch(product_id)
        running = await services.room_rows.get(product_id, running_epoch)
        if running is None or running.terms != terms.room:
            return Declined.SALE_RUNNING
        return running
    return await services.room_rows.prepare(
        product_id,
        terms.room,
        terms.starts_at,
        new_seed(),
        after=epoch,
        lost=sale is None,
    )


async def set_up_room(services: Services, product_id: str, room: Room | None) -> None:
    """Let users join the room of a sale that was opened. Without a room, record that.

    If the sale was opened anew meanwhile, nothing changes: the later opening makes its own queue.
    """
    if await services.rooms.get_epoch(product_id) != (room.epoch if room else 0):
        return
    if room is None:
        await services.room_rows.close(product_id)
        await services.rooms.close(product_id)
        return
    await services.rooms.open(await _restored(services, room))
    if room.paused:
        await services.rooms.set_paused(product_id, paused=True)
    await services.room_rows.mark_opened(product_id, room.epoch)


async def room_to_rebuild(services: Services, product_id: str, *, lost: bool) -> Room | None:
    """Return the room that guards a sale which is rebuilt.

    Args:
        lost: Redis does not know the terms of the sale.

    """
    epoch = None if lost else await services.rooms.get_epoch(product_id)
    return None if epoch == 0 else await services.room_rows.get(product_id, epoch)


async def _restored(services: Services, room: Room) -> Room:
    """Return a room as Redis must get it if it has lost the queue. Nobody's place gets worse.

    Who has a ticket keeps their number, so new ones begin above all that may have been given. If
    the draw is due and PostgreSQL does not have it, the places are drawn among all these numbers.
    """
    if not room.opened:
        return room  # nobody has joined it yet
    queue = await services.rooms.look(room.product_id)
    if queue and queue.epoch == room.epoch:
        return room  # Redis knows better, and keeps what it has
    return await services.room_rows.restore(room.product_id, room.epoch, MARGIN)


async def read_room(services: Services, product_id: str) -> RoomView | None:
    """Return the public state of a room now, and call those whose turn it is; None without one."""
    queue = await services.rooms.look(product_id)
    if queue is None:
        return None
    door = await services.rooms.advance(product_id, queue.callable, queue.epoch)
    return RoomView(queue, door) if door else None


async def measure_rooms(services: Services, product_ids: Iterable[str]) -> list[RoomFigures]:
    """Return the figures of the rooms of these products. It calls nobody, and changes nothing."""
    found = [await services.rooms.measure(product_id) for product_id in product_ids]
    return [figures for figures in found if figures]
