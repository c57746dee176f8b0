"""A web worker dies before or after a script ran, and its client asks again."""

import asyncio
import hashlib
from datetime import datetime

import httpx
import pytest

from flashsale.redis_store.scripts import LUA
from tests.faults.shop import Sold
from tests.helpers.proxy import Fault, When, kill_client
from tests.helpers.support import USERS, until

pytestmark = pytest.mark.parametrize("when", When, ids=["before", "after"])


@pytest.fixture
def strikes(shop, when):
    """Return a function that sends a request until the worker that calls a script is killed."""

    async def strike(queue, script, request):
        text = (LUA / f"{script}.lua").read_bytes()
        digest = hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()
        fault = shop.proxies["web.redis"].fault = Fault(digest, when, kill_client)
        method, path, options = request

        async def is_unanswered():
            try:
                answer = await queue.send(method, path, **options)
            except httpx.HTTPError:
                return True
            assert answer.status_code == 202, answer.text  # this worker has not seen the call yet
            return False

        await until(is_unanswered)
        assert fault.struck == 1
        await asyncio.to_thread(shop.stack.start, shop.web)  # until granian has replaced it

    yield strike
    # For the next test, granian starts anew. It stops if one worker dies twice within seconds.
    shop.kill(shop.web)


async def test_a_worker_dies_while_a_user_joins(new_queue, strikes, when):
    queue = await new_queue(10)

    await strikes(queue, "join", queue.joining(USERS[0]))

    issued = int(await queue.services.redis.hget(queue.queue_keys.room, "issued"))
    assert issued == (1 if when is When.AFTER else 0)
    places = [(await queue.join(user))["arrival"] for user in (USERS[0], USERS[1], USERS[0])]
    assert places == [0, 1, 0], "the place that was given without an answer is the user's"


async def test_a_worker_dies_while_a_user_is_let_in(shop, new_queue, strikes, when):
    queue = await new_queue(10)
    ticket = (await queue.join(USERS[0]))["ticket"]
    await queue.called(1)

    await strikes(queue, "admit", queue.entering(ticket))

    redis = queue.services.redis
    inside_until = await redis.zscore(queue.keys.inside, USERS[0])
    assert (inside_until is not None) == (when is When.AFTER)
    first, second = await queue.enter(ticket), await queue.enter(ticket)
    assert first == second, "the same admission"
    ends = datetime.fromisoformat(first["expiresAt"]).timestamp() * 1000
    assert inside_until in (None, pytest.approx(ends, abs=1)), (
        "the slot that was given is the user's"
    )
    assert await redis.zcard(queue.keys.inside) == 1
    assert await redis.hget(queue.keys.door, "admitted") == "1"
    sold = Sold([await queue.buy(USERS[0], first["admission"])])
    books = await shop.keeps_its_guarantees(queue.services, queue.product_id, sold)
    assert books.confirmed == 1
