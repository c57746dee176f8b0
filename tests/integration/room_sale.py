"""A sale with a waiting room, and its clock: for the tests of the room's scripts."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flashsale.domain.rooms import AdmissionCheck, Admitted, Mode, Room, RoomTerms
from flashsale.redis_store.scripts import Keys, QueueKeys
from tests.integration.v5_claims import LEASE, TOKEN, claim

SEED = "5e" * 32
# Calls a minute. So many that in a test only other limits matter.
ANY_NUMBER = 6_000_000


def room_of(product_id, *, opens_in=-60, epoch=1, from_at=None, saved=None, **terms):
    """Return a room. By default it is open, and places follow the order of arrival.

    Args:
        opens_in: seconds.
        saved: what PostgreSQL knows after a loss.

    """
    opens_at = datetime.now(UTC) + timedelta(seconds=opens_in)
    terms = RoomTerms(from_at=from_at, **{"mode": Mode.FIFO, "max_rate": ANY_NUMBER, **terms})
    return Room(product_id, epoch, terms, opens_at, SEED, **(saved or {}))


async def guard(services, product_id, units, **room):
    """Put a product on sale behind a room; return the room."""
    room = room_of(product_id, **room)
    await services.rooms.open(room)
    await services.stock.open_sale(product_id, units, room=room, again=True)
    return room


async def guarded(services, units=5, inside=(), **room):
    """Return a product behind a room that has called 100 places and let some users in."""
    product_id = f"r-{uuid.uuid4().hex[:12]}"
    await guard(services, product_id, units, **room)
    await call(services, product_id, 100)
    for place, user in enumerate(inside):
        answer = await services.rooms.admit(product_id, user, place, room.get("epoch", 1))
        assert isinstance(answer, Admitted)
    return product_id


async def buy(services, *arguments, admission="", **named):
    """Claim with an admission, and return the answer."""
    asked = replace(claim(*arguments, **named), admission=admission)
    return await services.ledger.claim(asked, TOKEN, LEASE)


async def lose(services, product_id, *, queue=True, door=True):
    """Remove what Redis knows of the room, and with its door all of the sale."""
    tags = [product_id] * door + [f"{product_id}~room"] * queue
    for tag in tags:
        async for key in services.redis.scan_iter(f"{{{tag}}}:*"):
            await services.redis.delete(key)


async def call(services, product_id, serving):
    """Call places without regard to any limit, as if those before had not come."""
    keys = Keys(product_id)
    await services.redis.hset(keys.door, "serving", serving)
    await services.redis.zadd(keys.calls, {await now(services): serving})


async def now(services):
    """Return the time of Redis in ms since 1970."""
    seconds, microseconds = await services.redis.time()
    return seconds * 1000 + microseconds // 1000


async def pass_time(services, product_id, milliseconds):
    """Make all that a room knows older. To its scripts, that is time that passes."""
    redis, keys, queue = services.redis, Keys(product_id), QueueKeys(product_id)
    times = {queue.room: ("from_at", "opens_at"), keys.door: ("at", "adapted_at")}
    for key, fields in times.items():
        for field in fields:
            if await redis.hexists(key, field):
                await redis.hincrby(key, field, -milliseconds)
    for user in await redis.zrange(keys.inside, 0, -1):
        await redis.zincrby(keys.inside, -milliseconds, user)
    calls = await redis.zrange(keys.calls, 0, -1, withscores=True)
    if calls:
        await redis.delete(keys.calls)
        await redis.zadd(keys.calls, {int(at) - milliseconds: serving for at, serving in calls})


class StandInAdmissions:
    """Accepts the text "valid", and knows "over" as one that ran out."""

    def check_admission(self, token, *_):
        return AdmissionCheck(token) if token in {"valid", "over"} else AdmissionCheck.REQUIRED
