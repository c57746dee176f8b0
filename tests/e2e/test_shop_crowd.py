"""The crowd of `make shop`: it ends by itself, keeps the books, and meets no visitor."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from flashsale.usecases.books import read_books
from flashsale_local.sale.crowd import Crowd, Habits
from flashsale_local.sale.shop_front import FOR_VISITORS, Offer, crowd_users, open_shop
from tests.helpers.support import until

# Time enough to pay: none begins in the last ten seconds of a hold.
HOLD = 20


@pytest.fixture
async def opened(deployed, asgi_url, provider):
    """Return a function that puts a product on sale, and makes a crowd for it."""

    async def make(people, units, opens_in=3, **habits):
        target = replace(deployed, asgi_url=asgi_url, provider_url=provider.url)
        offer = Offer("Aero One, first edition", Decimal("349.00"), units)
        async with target.services() as services:
            product_id = await open_shop(services, offer, people, opens_in=opens_in, hold=HOLD)
        habits = {"no_shows": 0.2, "hurry": 8, **habits}
        return Crowd(target, product_id, crowd_users(people), 1, Habits(**habits))

    return make


async def test_a_crowd_ends_by_itself_with_balanced_books(opened, services):
    crowd = await opened(30, 100, opens_in=10)  # so that a look comes before
    looks = []
    crowd.report = lambda crowd: looks.append(crowd.room.get("state"))

    assert await crowd.run(120)

    tally = crowd.tally
    assert (tally.joined, tally.turned_away, tally.found_nothing) == (30, 0, 0)
    assert tally.never_came + tally.came == 30
    assert tally.left + tally.bought == tally.came
    assert (tally.to_pay, tally.cancelled, tally.still_waited) == (0, 0, 0)
    (books,) = await read_books(services, [crowd.product_id])
    assert (books.balanced, books.confirmed) == (True, tally.paid)
    assert (books.reserved, books.expired) == (0, tally.expired)
    assert {"prequeue", "open"} <= set(looks)


async def test_a_crowd_that_is_too_large_sells_out_and_goes_home(opened, services):
    crowd = await opened(40, 5, no_shows=0.0, buyers=1.0, payers=1.0)

    assert await crowd.run(120)

    tally = crowd.tally
    assert (tally.joined, tally.paid) == (40, 5)
    assert tally.found_nothing + tally.still_waited == 35
    (books,) = await read_books(services, [crowd.product_id])
    assert (books.balanced, books.confirmed, books.stock) == (True, 5, 0)


async def test_a_crowd_survives_an_outage_of_the_edge(opened, stack, services):
    crowd = await opened(20, 100, no_shows=0.0, buyers=1.0, payers=1.0)
    running = asyncio.create_task(crowd.run(180))

    async def some_came():
        return crowd.tally.came or running.done()

    await until(some_came)
    await asyncio.to_thread(stack.supervisor.stop_program, "edge")
    await asyncio.to_thread(stack.supervisor.start_program, "edge")

    assert await running
    assert (crowd.tally.joined, crowd.tally.bought, crowd.tally.turned_away) == (20, 20, 0)
    (books,) = await read_books(services, [crowd.product_id])
    assert (books.balanced, books.confirmed) == (True, crowd.tally.paid)


async def test_a_crowd_leaves_when_its_time_is_over(opened):
    crowd = await opened(10, 100, hurry=0.01)

    assert not await crowd.run(12)

    assert (crowd.tally.joined, crowd.tally.paid) == (10, 0)


def test_no_visitor_is_one_of_the_crowd():
    visitors = {f"u-{number:05}" for number in range(1, FOR_VISITORS + 1)}
    crowd = crowd_users(20_000)

    assert len(set(crowd)) == 20_000
    assert crowd[0] == "u-00501"
    assert visitors.isdisjoint(crowd)
