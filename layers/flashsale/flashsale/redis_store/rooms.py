"""Waiting rooms in Redis: the queue of those who joined, and the door to the sale.

Queue and door are on two shards, so no step changes both. Calls and admissions name the epoch that
they are for. A caller that knows an earlier room only lets nobody in.
"""

import json
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from flashsale.domain.draw import commitment
from flashsale.domain.room_figures import RoomFigures
from flashsale.domain.rooms import (
    Admitted,
    Door,
    Joined,
    Mode,
    NotAdmitted,
    NotYet,
    Queue,
    Room,
    Waits,
    Why,
)
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.opening_script import milliseconds
from flashsale.redis_store.return_codes import Admission, Joining
from flashsale.redis_store.scripts import Keys, QueueKeys, Script, translated_errors

# Milliseconds between two times that the state of a room is saved in PostgreSQL.
SAVE_EACH = 10_000


class Rooms:
    """Gives users their places, calls them, and lets them in.

    Every method raises StockUnavailable if Redis is unavailable. The door of a room is made by
    `Stock.open_sale`, in one step with the sale.
    """

    def __init__(self, redis: Redis, known_rooms: KnownRooms) -> None:
        self._redis = redis
        self._known_rooms = known_rooms
        self._open_room = Script(redis, "open_room")
        self._join = Script(redis, "join")
        self._look = Script(redis, "look")
        self._advance = Script(redis, "advance")
        self._admit = Script(redis, "admit")
        self._read_door = Script(redis, "read_door")

    async def open(self, room: Room) -> bool:
        """Make the queue of a room; return False if there is one of this epoch already.

        `room.issued` is the first number that nobody can have. After a loss that is more than was
        saved.
        """
        keys = QueueKeys(room.product_id)
        arguments: list[str | int] = [
            room.epoch,
            room.terms.mode,
            milliseconds(room.terms.from_at) or 0,
            milliseconds(room.opens_at),
            commitment(room.seed),
            room.seed,
            room.issued,
            "" if room.drawn is None else room.drawn,
        ]
        return bool(await self._open_room(keys=[keys.places, keys.room], args=arguments))

    async def close(self, product_id: str) -> None:
        """Forget all who joined, because the product is on sale without a room."""
        keys = QueueKeys(product_id)
        async with translated_errors():
            await self._redis.delete(keys.places, keys.room)

    async def join(
        self,
        product_id: str,
        user_id: str,
        *,
        number: int | None = None,
        epoch: int | None = None,
        again: bool = False,
    ) -> Joined | NotYet | None:
        """Give a user a number, or the one that they have; None if there is no room.

        Args:
            number: of a valid ticket of this user. They get it if Redis has lost it.
            epoch: of that ticket. A ticket of another epoch than the room's does not count.
            again: the place of that ticket has lapsed. If it is still the user's place, and places
                are drawn, they get a new one.

        """
        keys = QueueKeys(product_id)
        ticket = ["" if part is None else part for part in (number, epoch)]
        code, *values = await self._join(
            keys=[keys.places, keys.room], args=[user_id, *ticket, "again" if again else ""]
        )
        match Joining(code):
            case Joining.JOINED:
                return Joined(*values)
            case Joining.NOT_YET:
                return NotYet(*values)
            case Joining.NO_ROOM:
                return None

    async def look(self, product_id: str, *, saved: tuple[int, int] | None = None) -> Queue | None:
        """Return the queue of a room, drawn if it is time; None if there is no room.

        Args:
            saved: an epoch, and how many were drawn in it, as PostgreSQL has it. The draw may be
                shown then.

        """
        answer = await self._look(keys=[QueueKeys(product_id).room], args=saved or ("", ""))
        if answer is None:
            return None
        queue = json.loads(answer)
        return Queue(**{**queue, "mode": Mode(queue["mode"])})

    async def advance(self, product_id: str, callable_: int, epoch: int) -> Door | None:
        """Call the next users, and return the door; None if no room of this epoch guards the sale.

        Args:
            callable_: `Queue.callable` of this epoch.

        """
        keys = Keys(product_id)
        answer = await self._advance(
            keys=[keys.door, keys.calls, keys.inside, keys.stock, keys.ledger, keys.sale],
            args=[epoch, callable_],
        )
        if answer is None:
            return None
        self._known_rooms.remember(product_id, epoch)
        door = json.loads(answer)
        return Door(**{**door, "why": Why(door["why"])})

    async def admit(
        self, product_id: str, user_id: str, place: int, epoch: int, *, look: bool = False
    ) -> Admitted | Waits | NotAdmitted | None:
        """Let a called user in; None if no room of this epoch guards the sale.

        Who is inside gets the same answer again. One place is let in once.

        Args:
            look: let nobody in. The answer says whether the place has lapsed.

        """
        keys = Keys(product_id)
        code, *values = await self._admit(
            keys=[keys.door, keys.calls, keys.inside, keys.used, keys.stock],
            args=[user_id, place, epoch, "look" if look else ""],
        )
        match Admission(code):
            case Admission.INSIDE:
                return Admitted(*values)
            case Admission.WAITS:
                (serving,) = values
                return Waits(place, place - serving)
            case Admission.LAPSED:
                return NotAdmitted.LAPSED
            case Admission.FULL:
                return NotAdmitted.FULL
            case Admission.NO_ROOM:
                return None

    async def measure(self, product_id: str) -> RoomFigures | None:
        """Return the figures of a room, and change nothing; None if no room guards the sale.

        Nobody is called and nothing is drawn by it, so the room goes on as if nobody had looked.
        """
        keys, queue_keys = Keys(product_id), QueueKeys(product_id)
        answer = await self._read_door(
            keys=[keys.door, keys.calls, keys.inside, keys.stock, keys.ledger, keys.sale]
        )
        if answer is None:
            return None
        async with translated_errors():
            queue = await self._redis.hmget(queue_keys.room, "epoch", "issued", "opens_at")
        return _figures(product_id, json.loads(answer), queue)

    async def get_epoch(self, product_id: str) -> int:
        """Return the epoch of the room that guards the sale; 0 without a room or a sale."""
        async with translated_errors():
            epoch = await self._redis.hget(Keys(product_id).sale, "room")
        return int(epoch or 0)

    async def leave(self, product_id: str, user_id: str) -> None:
        """Free the slot of a user who is inside.

        The user keeps their number. If numbers could be given up, one user could collect many
        before the draw, and use the ticket of the best.
        """
        async with translated_errors():
            await self._redis.zrem(Keys(product_id).inside, user_id)

    async def set_paused(self, product_id: str, *, paused: bool) -> bool:
        """Stop the calls, or go on; return False if no room guards the sale."""
        door = Keys(product_id).door
        async with translated_errors():
            if not await self._redis.exists(door):
                return False
            if paused:
                await self._redis.hset(door, "paused", "1")
            else:
                await self._redis.hdel(door, "paused")
        return True

    async def set_rate(self, product_id: str, calls_a_second: float) -> bool:
        """Set how many are called at most; return False if no room guards the sale."""
        door = Keys(product_id).door
        async with translated_errors():
            if not await self._redis.exists(door):
                return False
            await self._redis.hset(door, "max_rate", str(calls_a_second))
        return True

    async def take_turn_to_save(self, product_id: str) -> bool:
        """Return whether the caller is the first to save the state in these ten seconds."""
        async with translated_errors():
            saver = Keys(product_id).door_saver
            return bool(await self._redis.set(saver, 1, nx=True, px=SAVE_EACH))


def _figures(
    product_id: str, door: dict[str, Any], queue: Sequence[str | bytes | None]
) -> RoomFigures:
    epoch, issued, opens_at = (int(value or 0) for value in queue)
    lost = epoch != door["epoch"]
    now, called_at, looked_at = door.pop("now"), door.pop("called_at"), door.pop("looked_at")
    return RoomFigures(
        product_id=product_id,
        lost=lost,
        opened=not lost and now >= opens_at,
        issued=door["serving"] if lost else issued,
        why=Why(door.pop("why")),
        since_call=max(0.0, now - max(called_at, opens_at)) / 1000,
        since_look=max(0.0, now - looked_at) / 1000,
        claim_age=max(0.0, door.pop("claim_age")) / 1000,
        **door,
    )
