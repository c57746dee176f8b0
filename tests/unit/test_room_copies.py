"""Copies of rooms: who reads, how often, and what a failing store changes."""

import asyncio

import pytest

from flashsale.errors import StockUnavailable
from flashsale.redis_store.room_copies import MOST, RoomCopies
from tests.integration.refusals import Clock


class Store:
    """Counts reads, and fails while it is down."""

    def __init__(self):
        self.reads, self.down = 0, False

    async def __call__(self):
        self.reads += 1
        await asyncio.sleep(0)
        if self.down:
            raise StockUnavailable("down")
        return self.reads


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def copies(clock):
    return RoomCopies(clock)


async def test_a_copy_is_the_answer_for_a_second(copies, clock):
    store = Store()
    first = await copies.get("p", store)
    clock.seconds = 0.99
    again = await copies.get("p", store)
    clock.seconds = 1.0
    fresh = copies.fresh("p")
    new = await copies.get("p", store)

    assert again is first
    assert fresh is None
    assert new.view == store.reads == 2


async def test_each_product_has_its_own_copy(copies):
    store = Store()

    assert [(await copies.get(product, store)).view for product in "pqp"] == [1, 2, 1]


async def test_those_who_ask_together_share_a_failure(copies):
    store = Store()
    store.down = True

    answers = await asyncio.gather(
        *(copies.get("p", store) for _ in range(9)), return_exceptions=True
    )

    assert {type(answer) for answer in answers} == {StockUnavailable}
    assert store.reads == 1


async def test_a_failing_store_is_asked_once_a_second(copies, clock):
    store = Store()
    await copies.get("p", store)
    clock.seconds, store.down = 5.0, True

    stale = [await copies.get("p", store) for _ in range(3)]
    clock.seconds = 6.0
    later = await copies.get("p", store)

    assert [(copy.view, copy.stale) for copy in (*stale, later)] == [(1, True)] * 4
    assert store.reads == 3


async def test_a_copy_is_too_old_after_a_minute(copies, clock):
    store = Store()
    await copies.get("p", store)
    store.down, clock.seconds = True, 59.0
    assert (await copies.get("p", store)).stale
    clock.seconds = 60.0

    with pytest.raises(StockUnavailable):
        await copies.get("p", store)


async def test_many_products_do_not_fill_the_memory(copies):
    for n in range(MOST + 1):
        await copies.get(f"p-{n}", Store())

    assert len(copies._copies) <= MOST


async def test_work_aside_runs_once_at_a_time_and_ends_with_the_process(copies):
    begun = []

    async def work():
        begun.append(1)
        await asyncio.Event().wait()

    for _ in range(3):
        copies.run_aside("p", work)
        await asyncio.sleep(0)
    await copies.close()

    assert len(begun) == 1
    assert not copies._works


async def test_ids_that_clients_made_up_push_no_room_out(copies):
    await copies.get("p", Store())

    async def nothing():
        return None

    for number in range(MOST + 1):
        await copies.get(f"x{number}", nothing)

    assert copies.is_known("p")


async def test_a_store_that_failed_is_asked_again_after_a_second(copies, clock):
    store = Store()
    store.down = True
    for _ in range(3):
        with pytest.raises(StockUnavailable):
            await copies.get("p", store)
    reads = store.reads
    clock.seconds += 1
    store.down = False

    assert reads == 1
    assert (await copies.get("p", store)).view
