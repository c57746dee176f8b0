"""PostgreSQL stops behind a waiting room: calls become fewer, the room stays, nobody loses."""

import asyncio
import hashlib
from datetime import datetime, timedelta

from flashsale.domain.draw import arrival_of
from flashsale.domain.rooms import Mode
from tests.faults.shop import Sold
from tests.helpers.support import USERS, until

# Seconds. Once the oldest claim has been unsettled for 2 s, the rate falls within 5 s; it is as
# before within 60 s after PostgreSQL is back. A busy machine gets four times as long for the first.
FALLS_WITHIN, RECOVERS_WITHIN = 20.0, 60.0
PIPELINE_IS_LATE = 2.0
# Calls a minute. At this rate, no test runs out of users who wait.
RATE, WAITING = 600, 3_000


async def test_calls_follow_the_pipeline_through_an_outage(shop, services, new_queue):
    queue = await new_queue(300, max_inside=300, max_rate=RATE)
    users = [*USERS, *(f"w-{number}" for number in range(WAITING - len(USERS)))]
    numbers = await queue.fill(users)
    first, *rest = [queue.ticket(user, numbers[user]) for user in USERS[:4]]
    await queue.called(len(rest) + 1)
    sold = Sold([await queue.buy(USERS[0], (await queue.enter(first))["admission"])])
    await shop.recovered(services, queue.product_id)
    assert (await queue.look())["ratePerMinute"] == RATE

    async def rate_is(fits):
        document = await queue.look()
        return document if fits(document["ratePerMinute"]) else None

    await asyncio.to_thread(shop.kill, shop.stack.database)
    for user, ticket in zip(USERS[1:], rest, strict=False):
        sold.order_ids.append(await queue.buy(user, (await queue.enter(ticket))["admission"]))
    await until(lambda: is_late(services, queue.product_id))
    document = await until(lambda: rate_is(lambda rate: rate < RATE), FALLS_WITHIN)
    assert (document["why"], document["state"]) == ("pipeline", "open")
    await until(lambda: rate_is(lambda rate: rate < RATE / 2))
    await asyncio.to_thread(shop.stack.start, shop.stack.database)

    document = await until(lambda: rate_is(lambda rate: rate == RATE), RECOVERS_WITHIN)
    assert document["issued"] == WAITING, "nobody has lost a place"
    await shop.keeps_its_guarantees(services, queue.product_id, sold, cancels=True)


async def is_late(services, product_id):
    return await services.ledger.oldest_age(product_id) > PIPELINE_IS_LATE


async def test_the_draw_is_shown_though_postgresql_is_down(shop, services, new_queue):
    queue = await new_queue(60, starts=timedelta(hours=1), mode=Mode.DRAW, max_rate=RATE)
    numbers = await queue.fill(USERS)
    assert (await queue.look())["state"] == "prequeue"
    await asyncio.to_thread(shop.kill, shop.stack.database)

    await queue.begin(ago=timedelta(seconds=5))

    async def shown():
        document = await queue.look()
        return document if "seed" in document else None

    document = await until(shown)
    waited = datetime.fromisoformat(document["now"]) - datetime.fromisoformat(document["opensAt"])
    assert waited >= timedelta(seconds=10), "PostgreSQL might still have got it"
    seed = bytes.fromhex(document["seed"])
    assert hashlib.sha256(seed).hexdigest() == document["commitment"]
    assert document["drawn"] == len(USERS)
    winner = USERS[arrival_of(0, document["drawn"], seed)]
    admission = await queue.enter(queue.ticket(winner, numbers[winner]))
    sold = Sold([await queue.buy(winner, admission["admission"])])

    await asyncio.to_thread(shop.stack.start, shop.stack.database)
    await services.redis.delete(queue.keys.door_saver)  # the ten seconds of the last save are over

    async def is_saved():
        await queue.look()
        room = await services.room_rows.get(queue.product_id)
        return room.drawn

    assert await until(is_saved) == len(USERS)
    await shop.keeps_its_guarantees(services, queue.product_id, sold, cancels=True)
