"""For tests of waiting rooms: a sale with a room, and what Redis may lose of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flashsale.domain.draw import place_of
from flashsale.domain.model import Terms
from flashsale.domain.rooms import Joined, Mode, RoomTerms
from flashsale.redis_store.scripts import Keys, QueueKeys
from flashsale.usecases import sales

ROOM = RoomTerms(Mode.DRAW, max_inside=3, max_rate=60_000)
SECRET = "a-secret-of-32-bytes-for-the-tests"


def with_secret(services):
    """Return these services, which can sign tickets now."""
    services.settings = replace(services.settings, room_secrets=(SECRET,))
    return services


def later():
    """Return a time that no test waits for, as the stores keep it."""
    return (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


class RoomedSale:
    """A sale with a waiting room that opens in an hour, or when a test says so."""

    def __init__(self, services, product_id, room=ROOM):
        self.services = with_secret(services)
        self.product_id = product_id
        self.terms = Terms(starts_at=later(), room=room)
        self.tickets = {}

    async def open(self, services=None):
        return await sales.open_sale(services or self.services, self.product_id, self.terms)

    async def row(self):
        return await self.services.room_rows.get(self.product_id)

    async def sale(self):
        return await self.services.ledger.snapshot(self.product_id, count_claims=True)

    async def epoch(self):
        return await self.services.rooms.get_epoch(self.product_id)

    async def look(self):
        return await self.services.rooms.look(self.product_id)

    async def join(self, user, ticket=None):
        """Return the number of a user, who may have a ticket: epoch and number."""
        epoch, number = ticket or (None, None)
        joined = await self.services.rooms.join(self.product_id, user, number=number, epoch=epoch)
        assert isinstance(joined, Joined), joined
        return joined.epoch, joined.number

    async def begin(self):
        """Let the hour pass. Nothing is drawn by that."""
        now = datetime.now(UTC)
        self.terms = replace(self.terms, starts_at=now)
        ms = int(now.timestamp() * 1000)
        redis = self.services.redis
        if await redis.exists(QueueKeys(self.product_id).room):
            await redis.hset(QueueKeys(self.product_id).room, "opens_at", ms)
        await redis.hset(Keys(self.product_id).sale, "starts_at", ms)
        async with self.services.database.transaction() as connection:
            await connection.execute(
                "UPDATE rooms SET opens_at = %s WHERE product_id = %s", [now, self.product_id]
            )

    async def execute(self, statement):
        """Run a statement whose parameter is the product."""
        async with self.services.database.transaction() as connection:
            await connection.execute(statement, [self.product_id])

    async def draw(self):
        """Draw the places, and save and show the draw. Return the room's row."""
        queue = await self.look()
        drawn = await self.services.room_rows.save_draw(self.product_id, queue.epoch, queue.drawn)
        await self.services.rooms.look(self.product_id, saved=(queue.epoch, drawn))
        return await self.row()

    async def call(self):
        """Call whose turn it is; return how many are called."""
        queue = await self.look()
        door = await self.services.rooms.advance(self.product_id, queue.callable, queue.epoch)
        return door.serving

    async def save(self):
        queue = await self.look()
        serving = await self.services.redis.hget(Keys(self.product_id).door, "serving")
        await self.services.room_rows.save(self.product_id, queue.epoch, int(serving), queue.issued)

    async def lose(self, *, sale, queue):
        """Delete the keys of the sale and its door, or those of the queue, or both."""
        for tag, lost in ((f"{{{self.product_id}}}", sale), (f"{{{self.product_id}~room}}", queue)):
            keys = [key async for key in self.services.redis.scan_iter(f"{tag}:*")] if lost else []
            if keys:
                await self.services.redis.delete(*keys)

    async def places(self, tickets):
        """Return the place of each user, by their tickets and the draw that Redis shows."""
        queue = await self.look()
        assert queue.shown, queue
        seed = bytes.fromhex(queue.seed)
        return {user: place_of(number, queue.drawn, seed) for user, (_, number) in tickets.items()}


async def joined_sale(services, product_id, users):
    """Return a sale whose room these users have joined, the last four after it was saved.

    Their tickets are in `tickets`: epoch and number.
    """
    shop = RoomedSale(services, product_id)
    await shop.open()
    shop.tickets = {user: await shop.join(user) for user in users[:-4]}
    await shop.save()
    shop.tickets |= {user: await shop.join(user) for user in users[-4:]}
    return shop
