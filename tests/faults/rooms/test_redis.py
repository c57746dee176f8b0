"""Redis dies while users wait: its file keeps all, and without the file no place gets worse."""

import asyncio
from datetime import timedelta

from redis.exceptions import RedisError

from flashsale.domain.draw import arrival_of, place_of
from flashsale.domain.rooms import Mode
from tests.faults.shop import Sold
from tests.helpers.support import USERS, sync_each_write, until

WAITING = 10_000


async def test_a_killed_redis_knows_everything_after_its_restart(shop, services, new_queue):
    queue = await new_queue(10)
    await sync_each_write(services.redis)
    numbers = await queue.fill(USERS[:50])
    tickets = [queue.ticket(user, numbers[user]) for user in USERS[:3]]
    await queue.called(3)
    inside = [await queue.enter(ticket) for ticket in tickets]
    before = await queue.contents()

    await asyncio.to_thread(shop.kill, shop.stack.redis)
    await asyncio.to_thread(shop.stack.start, shop.stack.redis)

    assert all(before.values())
    assert await until(lambda: contents(queue)) == before
    assert [await queue.enter(ticket) for ticket in tickets] == inside
    assert await queue.fill(USERS[:50]) == numbers
    sold = Sold([await queue.buy(USERS[0], inside[0]["admission"])])
    await shop.keeps_its_guarantees(services, queue.product_id, sold)


async def contents(queue):
    """Read what Redis knows; nothing while the connections are those from before."""
    try:
        return await queue.contents()
    except (ConnectionError, RedisError):
        return None


async def test_redis_is_wiped_with_ten_thousand_waiting(shop, services, new_queue):
    queue = await new_queue(60, starts=timedelta(hours=1), mode=Mode.DRAW, max_rate=6_000)
    users = [*USERS, *(f"w-{number}" for number in range(WAITING - len(USERS)))]
    numbers = await queue.fill(users)
    await queue.begin()
    document = await queue.called(3)
    drawn, seed = document["drawn"], bytes.fromhex(document["seed"])
    places = {user: place_of(number, drawn, seed) for user, number in numbers.items()}
    winners = [users[arrival_of(place, drawn, seed)] for place in range(3)]
    tickets = [queue.ticket(user, numbers[user]) for user in winners]
    await queue.enter(tickets[0])

    await asyncio.to_thread(shop.kill, shop.stack.redis)
    await asyncio.to_thread(shop.stack.start, shop.stack.redis)
    await until(lambda: wiped(services))
    rebuilt = await asyncio.to_thread(shop.command, "rebuild", queue.product_id)

    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert await queue.fill(users, numbers=numbers) == numbers
    document = await queue.called(3)
    same_draw = (document["drawn"], bytes.fromhex(document["seed"]), document["epoch"])
    assert same_draw == (drawn, seed, 1), "R7: with the draw and the number, the place is the same"
    assert sorted(places.values()) == list(range(WAITING)), "R1: each place is one user's"
    newcomer = await queue.join("late-1")
    assert newcomer["arrival"] >= WAITING, "behind all who have a ticket"
    for ticket in tickets:
        assert (await queue.enter(ticket))["admission"]


async def wiped(services):
    try:
        return await services.redis.flushall()
    except (ConnectionError, RedisError):
        return None
