"""With a waiting room, only who is inside claims, once for each admission."""

import asyncio
from dataclasses import replace

import pytest

from flashsale.config import Rate
from flashsale.domain.claims import Claimed, RateLimited
from flashsale.domain.model import Refusal, Terms
from flashsale.domain.rooms import NotAdmitted
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.scripts import Keys
from flashsale.services import Services
from tests.helpers.support import USERS
from tests.integration.refusals import Clock, commands
from tests.integration.room_sale import StandInAdmissions, buy, guarded, now, room_of
from tests.integration.v5_claims import LEASE, TOKEN, claim

OUTSIDE = Refusal.ADMISSION_REQUIRED


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def services(services, clock):
    """Return services that check admissions at the edge; their clock stands still."""
    services.known_rooms = KnownRooms(StandInAdmissions(), clock)
    return services


@pytest.fixture
def dump(services):
    """Return a function that returns all that Redis holds of a sale."""

    async def read(product_id):
        redis, keys = services.redis, Keys(product_id)
        return (
            await redis.get(keys.stock),
            await redis.xrange(keys.ledger),
            await redis.hgetall(keys.sale),
            await redis.zrange(keys.inside, 0, -1, withscores=True),
            [key async for key in redis.scan_iter(f"*idem:*{product_id}*")],
        )

    return read


async def test_who_is_not_inside_claims_nothing(services, dump):
    product_id = await guarded(services, inside=USERS[1:2])
    before = await dump(product_id)

    assert await buy(services, product_id, key=product_id) is OUTSIDE
    assert await buy(services, product_id, admission="valid") is OUTSIDE, (
        "the token is not what decides"
    )

    assert await dump(product_id) == before


async def test_one_admission_is_one_purchase(services):
    product_id = await guarded(services, inside=USERS[:2])

    answers = await asyncio.gather(*(buy(services, product_id) for _ in range(20)))

    assert sum(isinstance(answer, Claimed) for answer in answers) == 1
    assert answers.count(OUTSIDE) == 19
    assert await services.redis.zrange(Keys(product_id).inside, 0, -1) == [USERS[1]], "a free slot"
    assert await services.rooms.admit(product_id, USERS[0], 0, 1) is NotAdmitted.LAPSED


async def test_an_admission_ends_to_the_millisecond(services):
    product_id = await guarded(services)
    inside = Keys(product_id).inside

    await services.redis.zadd(inside, {USERS[0]: await now(services)})
    late = await buy(services, product_id)
    await services.redis.zadd(inside, {USERS[0]: await now(services) + 60_000})

    assert late is OUTSIDE
    assert isinstance(await buy(services, product_id, admission="valid"), Claimed)


async def test_a_claim_that_is_refused_otherwise_costs_no_admission(services):
    product_id = await guarded(services, units=2, inside=USERS[:1])

    assert await buy(services, product_id, quantity=3) is Refusal.SOLD_OUT

    assert isinstance(await buy(services, product_id, quantity=2), Claimed)


async def test_before_the_sale_begins_it_is_not_open(services, new_product):
    product_id = await new_product(5, on_sale=False)
    room = room_of(product_id, opens_in=60)
    await services.rooms.open(room)
    await services.stock.open_sale(product_id, 5, Terms(starts_at=room.opens_at), room=room)

    assert await buy(services, product_id) is Refusal.SALE_NOT_OPEN


async def test_a_repeat_of_a_claim_gets_its_order(services):
    product_id = await guarded(services, inside=USERS[:1])
    first = await buy(services, product_id, key=product_id)

    unknown = await buy(services, product_id, key=product_id)
    assert await buy(services, product_id, USERS[1]) is OUTSIDE
    known = await buy(services, product_id, key=product_id)

    assert {unknown.order_id, known.order_id} == {first.order_id}
    assert await buy(services, product_id, quantity=2, key=product_id) is Refusal.KEY_REUSED


async def test_a_process_that_knows_the_room_refuses_without_redis(services, clock):
    product_id = await guarded(services, inside=USERS[1:2])
    assert await buy(services, product_id) is OUTSIDE
    before = await commands(services)

    refused = [await buy(services, product_id, user) for user in USERS[:50]]
    over = await buy(services, product_id, admission="over")

    assert (set(refused), over) == ({OUTSIDE}, Refusal.ADMISSION_OVER)
    assert await commands(services) == before
    assert isinstance(await buy(services, product_id, USERS[1], admission="valid"), Claimed)
    clock.seconds = 1.0
    await buy(services, product_id)
    assert await commands(services) != before, "it asks Redis again"


async def test_a_look_at_the_door_teaches_a_process_of_the_room(services):
    product_id = await guarded(services)
    await services.rooms.advance(product_id, 0, 1)
    before = await commands(services)

    assert await buy(services, product_id) is OUTSIDE
    assert await commands(services) == before


async def test_the_script_refuses_where_the_edge_checks_nothing(services):
    product_id = await guarded(services, inside=USERS[:1])
    unchecked = Services(services.settings)
    unchecked.known_rooms = KnownRooms(None)

    refused = [
        await unchecked.ledger.claim(claim(product_id, user), TOKEN, LEASE) for user in USERS[1:9]
    ]
    await unchecked.close()

    assert set(refused) == {OUTSIDE}
    assert isinstance(await buy(services, product_id), Claimed)


async def test_a_product_that_is_sold_out_is_so_for_those_outside(services):
    product_id = await guarded(services, units=1, inside=USERS[:2])
    order = await buy(services, product_id, key=product_id)
    assert await buy(services, product_id, USERS[1]) is Refusal.SOLD_OUT
    before = await commands(services)

    assert await buy(services, product_id, USERS[2]) is Refusal.SOLD_OUT
    assert await commands(services) == before
    assert (await buy(services, product_id, key=product_id)).order_id == order.order_id
    await services.ledger.release(product_id, await services.ledger.take_unsent(product_id, 9))
    assert await buy(services, product_id, USERS[2]) is OUTSIDE
    assert isinstance(await buy(services, product_id, USERS[1], admission="valid"), Claimed)


async def test_rate_limits_and_keys_count_with_a_room(services):
    services.settings = replace(services.settings, rate_limits={"user": Rate(2, 3600)})
    product_id = await guarded(services, inside=USERS[:1])

    answers = [await buy(services, product_id, key=product_id) for _ in range(3)]

    assert answers[0].order_id == answers[1].order_id
    assert isinstance(answers[2], RateLimited)


async def test_a_claim_without_a_room_runs_no_more_commands(services, new_product):
    free = await new_product(5)
    room = await guarded(services, inside=USERS[1:2])
    await buy(services, free, USERS[1])  # loads the script, takes the lease, decides the generation
    costs = []

    for product_id, user in ((free, USERS[0]), (room, USERS[1])):
        before = await commands(services)
        assert isinstance(await buy(services, product_id, user, admission="valid"), Claimed)
        costs.append(await commands(services) - before)

    assert costs[0] == {
        "evalsha": 1, "hmget": 1, "get": 1, "decrby": 1, "xadd": 1, "hincrby": 1, "set": 1,
    }  # fmt: skip
    assert costs[1] - costs[0] == {"time": 1, "zscore": 1, "zrem": 1}
