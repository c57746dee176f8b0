"""The processes of a sale behind a waiting room, and its users, for its state machine."""

import asyncio
import time
import uuid

from hypothesis.stateful import RuleBasedStateMachine

from flashsale.domain.claims import Claimed
from flashsale.domain.model import Refusal
from flashsale.domain.rooms import Admitted, Joined, Mode
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.scripts import Keys, QueueKeys
from flashsale.services import Services
from tests.integration.room_model import Calls, Promises, Saved, place_of
from tests.integration.room_sale import StandInAdmissions, buy, now, room_of

UNITS, MAX_INSIDE, MAX_RATE = 4, 3, 2  # units, users, calls a second
OPENS_IN = 30.0  # seconds
MARGIN = 50  # more than join between two saves


class RoomProcesses(RuleBasedStateMachine):
    """One sale of a few units behind a room. A step is one call of an adapter."""

    def __init__(self, migrated):
        super().__init__()
        self._runner = asyncio.Runner()
        self.services = Services(migrated)
        self.passed, self.began = 0.0, time.monotonic()
        # An answer of Redis holds until the machine lets time pass.
        known = KnownRooms(StandInAdmissions(), lambda: (self.passed, self.passed))
        self.services.known_rooms = known
        self.rooms = self.services.rooms
        self.product_id = f"m-{uuid.uuid4().hex[:12]}"
        self.claims = {}  # order id -> user and units, of those that were not given back
        self.answers = {}  # user, key -> order id
        self.calls = Calls(MAX_RATE)
        self.saved = Saved(0)
        self.run(self.open_new_room())

    def run(self, coroutine):
        return self._runner.run(coroutine)

    async def open_new_room(self):
        """Open the sale with a room of the next epoch."""
        self.saved, self.promises = Saved(self.saved.epoch + 1), Promises()
        self.opens_in = OPENS_IN
        self.queue = self.door = None  # copies of a process, of any age
        self.lost = {"queue", "door"}
        await self.open("queue")

    async def rebuild(self, ends_after):
        """Rebuild the sale and its room from PostgreSQL; end after this step."""
        await self.services.stock.pause_to_rebuild(self.product_id)
        self.queue = self.door = None  # a rebuild takes longer than a process keeps copies
        # Saved before it is used. Otherwise a second loss would give the same numbers again.
        self.saved.issued += MARGIN
        await self.open(ends_after)

    async def open(self, ends_after):
        if ends_after == "pause":
            return
        known = self.saved
        saved = {"serving": known.serving, "issued": known.issued, "drawn": known.drawn}
        room = room_of(
            self.product_id,
            opens_in=self.opens_in,
            epoch=known.epoch,
            mode=Mode.DRAW,
            max_inside=MAX_INSIDE,
            max_rate=MAX_RATE * 60,
            saved=saved,
        )
        left = UNITS - sum(units for _, units in self.claims.values())
        await self.services.stock.open_sale(self.product_id, left, room=room, again=True)
        self.lost.discard("door")
        self.promises.used.clear()
        if ends_after == "door":
            return
        await self.rooms.open(room)
        self.lost.discard("queue")

    async def join(self, user, number=None, *, again=False, answered=True, epoch=None):
        """Join as a user with a ticket; check that the number is the right one."""
        epoch = self.saved.epoch if epoch is None else epoch
        had = await self.services.redis.hget(QueueKeys(self.product_id).places, user)
        joined = await self.rooms.join(
            self.product_id, user, number=number, epoch=epoch, again=again
        )
        if not isinstance(joined, Joined):
            assert "queue" in self.lost
            return
        if had is None and number is not None and epoch == self.saved.epoch:
            assert joined.number == number, "R7: a ticket is worth its number"
        is_again = again and had == str(number)
        assert had is None or is_again or joined.number == int(had), "a second number"
        is_new = is_again or (had is None and joined.number != number)
        self.promises.gave(user, joined.number, new=is_new)
        if answered:
            self.promises.told(user, joined.number)

    async def ask(self, user, ticket):
        """Ask for an admission as the edge does; return the ticket's number and the answer."""
        numbers, queue = self.promises.tickets.get(user), self.queue
        if not numbers or not queue or not queue.shown or queue.epoch != self.saved.epoch:
            return None, None
        number = numbers[-1 - ticket % len(numbers)]
        joined = await self.rooms.join(self.product_id, user, number=number, epoch=self.saved.epoch)
        if not isinstance(joined, Joined) or joined.number != number:
            return number, None  # they have another number since
        place, before = place_of(number, queue.drawn), await self.until(user)
        answer = await self.rooms.admit(self.product_id, user, place, queue.epoch)
        if isinstance(answer, Admitted) and answer.until != before:
            self.promises.admitted(user, place)
            redis, keys = self.services.redis, Keys(self.product_id)
            assert place < int(await redis.hget(keys.door, "serving")), "R2: they were not called"
            others = len(await self.inside()) - 1
            assert others < 1.5 * int(await redis.get(keys.stock) or 0), "R3: nothing to find"
        return number, answer

    async def claim(self, user, key, admission, units):
        """Claim as a user; check that the answer fits who is inside."""
        began, until = await now(self.services), await self.until(user)
        answer = await buy(
            self.services, self.product_id, user, units, key=key, admission=admission
        )
        if before := self.answers.get((user, key)):
            repeated = isinstance(answer, Claimed) and answer.order_id == before
            assert repeated or answer is Refusal.KEY_REUSED, "a repeat gets its order"
        elif isinstance(answer, Claimed):
            assert until is not None, "R5: they were not inside"
            assert until > began, "R5: their time inside was over"
            assert await self.until(user) is None, "R5: one admission is one purchase"
            self.promises.sold(user, answer.order_id)
            self.claims[answer.order_id] = user, units
            if key:
                self.answers[user, key] = answer.order_id
        elif answer is Refusal.ADMISSION_REQUIRED and admission:
            assert not until or until <= await now(self.services), "they were inside"

    async def inside(self):
        key, at = Keys(self.product_id).inside, await now(self.services)
        return await self.services.redis.zrangebyscore(key, f"({at}", "+inf")

    async def until(self, user):
        until = await self.services.redis.zscore(Keys(self.product_id).inside, user)
        return until and int(until)

    def seconds(self):
        return self.passed + time.monotonic() - self.began
