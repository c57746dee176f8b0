"""A product with a waiting room, whose time a test moves instead of waiting."""

import time
from datetime import UTC, datetime, timedelta

from flashsale.domain.model import Terms
from flashsale.domain.rooms import RoomTerms
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.sales import open_sale

SECRET = "a secret of these tests, which signs tickets"
HOUR = 3_600_000
SOON = timedelta(hours=1)


class RoomShop:
    """One product, and how to look at its room over HTTP."""

    def __init__(self, services, http, clock, product_id):
        self.services, self.http, self.clock, self.product_id = services, http, clock, product_id
        self.path = f"/api/v5/rooms/{product_id}"

    async def open(self, starts=SOON, **terms):
        """Put the product on sale behind a room, by default in an hour."""
        starts_at = datetime.now(UTC) + starts if starts else None
        terms = Terms(starts_at=starts_at, room=RoomTerms(**terms))
        assert await open_sale(self.services, self.product_id, terms) is None

    async def look(self):
        """Return the room's document, not that of the same second."""
        self.clock.seconds += 1
        return (await self.http.get(self.path)).json()

    async def join(self, user, ticket="", **headers):
        """Join as this user; return the answer."""
        headers |= {"Ticket": ticket} if ticket else {}
        return await self.http.post(f"{self.path}/tickets", json={"userId": user}, headers=headers)

    async def ticket(self, user, ticket=""):
        """Join as this user; return the ticket."""
        answer = await self.join(user, ticket)
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    async def enter(self, ticket, **headers):
        """Ask to be admitted, in the same second as the last look."""
        headers = headers | {"Ticket": ticket}
        return await self.http.post(f"{self.path}/admission", headers=headers)

    async def leave(self, ticket):
        """Give the place up."""
        return await self.http.delete(f"{self.path}/tickets/mine", headers={"Ticket": ticket})

    async def admission(self, ticket):
        """Ask to be admitted, when it is their turn; return the admission."""
        answer = await self.enter(ticket)
        assert answer.status_code == 200, answer.text
        return answer.json()["admission"]

    async def buy(self, user, admission=None, **headers):
        """Buy one unit as this user."""
        headers |= {} if admission is None else {"Admission": admission}
        body = {"productId": self.product_id, "userId": user}
        return await self.http.post("/api/v5/buy", json=body, headers=headers)

    async def begin(self):
        """Let the moment of opening come, and the draw be saved and shown."""
        redis = self.services.redis
        await redis.hset(room_key(self.product_id), "opens_at", now() - 1)
        await redis.hset(Keys(self.product_id).sale, "starts_at", now() - 1)
        for _ in range(100):
            document = await self.look()
            if document["state"] != "prequeue":
                return document
            await self.saved()
        raise AssertionError("the draw is not shown")

    async def call(self, places):
        """Look until places below this number are called."""
        for _ in range(100):
            await self.services.redis.hset(Keys(self.product_id).door, "at", now() - 10_000)
            document = await self.look()
            if document["serving"] >= places:
                return document
        raise AssertionError(f"called: {document}")

    async def lapse(self):
        """Let the time of all calls pass by."""
        key, redis = Keys(self.product_id).calls, self.services.redis
        calls = await redis.zrange(key, 0, -1, withscores=True)
        await redis.delete(key)
        for member, score in calls:
            await redis.zadd(key, {str(int(member) - HOUR): score})

    async def expel(self, user):
        """Let the time of a user inside end."""
        await self.services.redis.zadd(Keys(self.product_id).inside, {user: now() - 1})

    async def end_turn(self):
        """Let the ten seconds end in which the room was saved."""
        await self.saved()
        await self.services.redis.delete(Keys(self.product_id).door_saver)

    async def saved(self):
        """Wait for what the looks of this process write to PostgreSQL."""
        for work in list(self.services.room_copies._works.values()):
            await work


def room_key(product_id):
    """Return the name of the hash of those who joined."""
    return f"{{{product_id}~room}}:room"


def now():
    """Return the time in ms since 1970. Redis runs on the same machine."""
    return int(time.time() * 1000)
