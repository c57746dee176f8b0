"""The simulation of `flashsale model --room` does what the scripts of a waiting room do."""

import json
import random
from datetime import UTC, datetime

import pytest

from flashsale.domain.model import Terms
from flashsale.domain.rooms import Room, RoomTerms
from flashsale.redis_store.scripts import Keys
from flashsale_desk.waiting_room.door import Answer, Door
from flashsale_local.paths import ROOT

TERMS = RoomTerms(max_inside=6, max_rate=240, admission_seconds=40, call_seconds=20)
USERS = 9
ANSWERS = {1: Answer.ADMITTED, 0: Answer.WAITS, -1: Answer.LAPSED, -2: Answer.FULL}
CLAIMED = {1: True, -1: None, -7: False}


class Both:
    """The scripts on Valkey, and the simulation. Time passes by moving all times in Valkey back."""

    def __init__(self, redis, product_id):
        self._redis = redis
        self._keys = Keys(product_id)
        self._passed = 0
        self.places = 0

    async def begin(self):
        self._scripts = {
            name: (ROOT / "lua" / f"{name}.lua").read_text()
            for name in ("advance", "admit", "claim")
        }
        door = await self._redis.hgetall(self._keys.door)
        self._door = Door.opened(
            int(await self._redis.get(self._keys.stock)),
            max_rate=TERMS.max_rate / 60,
            max_inside=TERMS.max_inside,
            admission_ms=TERMS.admission_seconds * 1000,
            call_ms=TERMS.call_seconds * 1000,
            now=int(door["at"]),
        )
        self._door.calls[int(door["at"])] = 0

    async def _run(self, name, keys, *arguments):
        """Run a script; return the time of the simulation, and the answer."""
        async with self._redis.pipeline(transaction=True) as together:
            together.time()
            together.eval(self._scripts[name], len(keys), *keys, *arguments)
            (seconds, microseconds), answer = await together.execute()
        return seconds * 1000 + microseconds // 1000 + self._passed, answer

    async def pass_time(self, seconds):
        back, keys = seconds * 1000, self._keys
        for name in ("at", "adapted_at"):
            await self._redis.hincrby(keys.door, name, -back)
        for user, _ in await self._redis.zrange(keys.inside, 0, -1, withscores=True):
            await self._redis.zincrby(keys.inside, -back, user)
        calls = await self._redis.zrange(keys.calls, 0, -1, withscores=True)
        await self._redis.delete(keys.calls)
        if calls:
            await self._redis.zadd(keys.calls, {int(at) - back: serving for at, serving in calls})
        self._passed += back

    async def advance(self):
        keys = self._keys
        oldest = await self._redis.xrange(keys.ledger, count=1)
        now, answer = await self._run(
            "advance",
            [keys.door, keys.calls, keys.inside, keys.stock, keys.ledger, keys.sale],
            *(1, self.places),
        )
        age = now - self._passed - int(oldest[0][0].split("-")[0]) if oldest else 0
        self._door.advance(now, self.places, age)

        found = json.loads(answer)
        assert (found["serving"], found["why"]) == (self._door.serving, self._door.why)
        assert found["inside"] == len(self._door.inside)
        assert found["rate"] == pytest.approx(self._door.rate)

    async def admit(self, place):
        keys, user = self._keys, place % USERS
        now, (code, *_) = await self._run(
            "admit",
            [keys.door, keys.calls, keys.inside, keys.used, keys.stock],
            *(user, place, 1),
        )
        answer = self._door.admit(now, user, place)

        assert ANSWERS[code] is answer
        return answer

    async def claim(self, user):
        keys = self._keys
        now, (code, *_) = await self._run(
            "claim",
            [keys.stock, keys.ledger, keys.sale, keys.buyers, keys.lease, keys.inside],
            *(user, 1, "corr", "me", 60_000, 60),
        )
        answer = self._door.claim(now, user)

        assert CLAIMED[code] is answer
        return answer

    async def restock(self, units):
        self._door.stock = await self._redis.incrby(self._keys.stock, units)

    async def delay_orders(self):
        """Make the oldest claim one of five seconds ago."""
        await self._redis.delete(self._keys.ledger)
        seconds, _ = await self._redis.time()
        await self._redis.xadd(
            self._keys.ledger, {"u": "u", "q": 1, "c": "c"}, f"{(seconds - 5) * 1000}-0"
        )

    async def settle_orders(self):
        await self._redis.xtrim(self._keys.ledger, maxlen=0, approximate=False)

    async def compare(self):
        """Compare all that both keep."""
        keys, passed, door = self._keys, self._passed, self._door
        stored = await self._redis.hgetall(keys.door)
        assert int(stored["serving"]) == door.serving
        assert int(stored["at"]) + passed == door.at
        assert int(stored["adapted_at"]) + passed == door.adapted_at
        assert float(stored["rate"]) == pytest.approx(door.rate)
        assert float(stored["carry"]) == pytest.approx(door.carry)
        inside = await self._redis.zrange(keys.inside, 0, -1, withscores=True)
        assert {int(user): int(until) + passed for user, until in inside} == door.inside
        calls = await self._redis.zrange(keys.calls, 0, -1, withscores=True)
        assert {int(at) + passed: int(serving) for at, serving in calls} == door.calls
        used = await self._redis.hgetall(keys.used)
        assert {int(user): int(place) for user, place in used.items()} == door.used
        assert int(await self._redis.get(keys.stock)) == door.stock


@pytest.fixture
async def both(services, new_product):
    product_id = await new_product(3, on_sale=False)
    room = Room(product_id, 1, TERMS, opens_at=datetime.now(UTC), seed="00" * 32)
    await services.stock.open_sale(product_id, 3, Terms(generation=5), room=room)
    both = Both(services.redis, product_id)
    await both.begin()
    return both


@pytest.mark.parametrize("seed", range(5))
async def test_the_simulation_goes_the_way_of_the_scripts(both, seed):
    chance = random.Random(seed)
    seen = set()

    for _ in range(600):
        match chance.randrange(15):
            case 0 | 1:
                both.places += chance.randrange(6)
            case 2 | 3:
                await both.pass_time(chance.choice([1, 1, 1, 1, 2, 5, 12]))
            case 4 | 5 | 6:
                await both.advance()
                seen.add(both._door.why)
            case 7 | 8 | 9 | 10:
                recent = max(0, both._door.serving - 12)
                place = chance.randrange(recent, both._door.serving + 3)
                seen.add(await both.admit(place))
            case 11 | 12:
                user = chance.choice([*both._door.inside, chance.randrange(USERS)])
                seen.add(await both.claim(user))
            case 13:
                if not both._door.stock and not both._door.inside:
                    await both.restock(chance.randrange(1, 7))
            case 14:
                await chance.choice([both.delay_orders, both.settle_orders])()
        await both.compare()

    assert seen >= {*Answer, True, None, False}, "each answer was compared"
    assert {"nobody", "rate", "stock", "pipeline"} <= seen, "and what limits the calls"
