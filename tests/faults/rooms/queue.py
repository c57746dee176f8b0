"""A product behind a waiting room on the ASGI edge, and its clients. They repeat what fails."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx

from flashsale.chunks import chunks
from flashsale.domain.model import Terms
from flashsale.domain.rooms import Joined, Mode, RoomTerms
from flashsale.redis_store.scripts import Keys, QueueKeys
from flashsale.usecases.sales import open_sale
from flashsale_local.clouds.endpoint import Endpoint
from tests.helpers.support import until

# Joins that wait for one round trip.
AT_ONCE = 500


class Queue:
    """One product, its room, and what its clients send."""

    def __init__(self, shop, services, product_id):
        self.shop, self.services, self.product_id = shop, services, product_id
        self.keys, self.queue_keys = Keys(product_id), QueueKeys(product_id)
        self.path = f"/api/v5/rooms/{product_id}"

    async def open(self, *, starts=None, mode=Mode.FIFO, **terms):
        """Put the product on sale behind a room, now or after `starts`."""
        starts_at = datetime.now(UTC) + starts if starts else None
        terms = Terms(starts_at=starts_at, room=RoomTerms(mode, **terms))
        assert await open_sale(self.services, self.product_id, terms) is None

    async def send(self, method, path, **options):
        """Send a request once, over a connection of its own."""
        async with Endpoint(self.shop.web.url).client() as http:
            return await http.request(method, path, **options)

    async def ask(self, method, path, **options):
        """Send a request, again and again while no answer comes or a store is down."""

        async def answer():
            try:
                answer = await self.send(method, path, **options)
            except httpx.HTTPError:
                return None
            return None if answer.status_code == 503 else answer

        return await until(answer)

    async def look(self):
        """Return the room's document."""
        answer = await self.ask("GET", self.path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def called(self, places):
        """Look until all places below this number are called; return the document."""

        async def are_called():
            document = await self.look()
            return document if document["serving"] >= places else None

        return await until(are_called)

    def joining(self, user):
        """Return the request of a user who joins."""
        return "POST", f"{self.path}/tickets", {"json": {"userId": user}}

    def entering(self, ticket):
        """Return the request of a user who asks to be admitted."""
        return "POST", f"{self.path}/admission", {"headers": {"Ticket": ticket}}

    async def join(self, user):
        """Join; return the body of the answer."""
        method, path, options = self.joining(user)
        answer = await self.ask(method, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def enter(self, ticket):
        """Ask to be admitted, as long as it is not yet the user's turn; return the body."""
        method, path, options = self.entering(ticket)

        async def admitted():
            answer = await self.ask(method, path, **options)
            return None if answer.status_code == 202 else answer

        answer = await until(admitted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def buy(self, user, admission):
        """Buy one unit; return the id of the order."""
        body = {"productId": self.product_id, "userId": user}
        headers = {"Admission": admission, "Idempotency-Key": f"{user}-{self.product_id}"}
        answer = await self.ask("POST", "/api/v5/buy", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return answer.json()["orderId"]

    async def fill(self, users, epoch=1, numbers=None):
        """Let users join without HTTP, with the numbers of their tickets if they have some.

        Return the number of each.
        """
        known = numbers or {}
        joined = {}
        for some in chunks(list(users), AT_ONCE):
            answers = await asyncio.gather(
                *(
                    self.services.rooms.join(
                        self.product_id, user, number=known.get(user), epoch=epoch
                    )
                    for user in some
                )
            )
            assert all(isinstance(answer, Joined) for answer in answers)
            joined |= {user: answer.number for user, answer in zip(some, answers, strict=True)}
        return joined

    def ticket(self, user, number, epoch=1):
        """Return the ticket of a user who joined without HTTP."""
        return self.services.room_tokens.ticket(user, self.product_id, epoch, number)

    async def begin(self, ago=timedelta()):
        """Let the moment of opening come, or have come some time ago."""
        at = int((time.time() - ago.total_seconds()) * 1000)
        await self.services.redis.hset(self.keys.sale, "starts_at", at)
        await self.services.redis.hset(self.queue_keys.room, "opens_at", at)

    async def contents(self):
        """Return all that Redis knows of the room."""
        redis = self.services.redis
        hashes = (self.keys.door, self.keys.used, self.queue_keys.places, self.queue_keys.room)
        sets = (self.keys.calls, self.keys.inside)
        return {
            **{key: await redis.hgetall(key) for key in hashes},
            **{key: await redis.zrange(key, 0, -1, withscores=True) for key in sets},
        }
