"""A store that is there and does not answer: each request is answered in time, and all heals."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.integration.troubles.conftest import all_at_once, slots, well_again
from tests.integration.troubles.doors import AsgiDoor, LambdaDoor
from tests.integration.troubles.routes import (
    POSTGRESQL,
    REDIS,
    ROUTES,
    SQS,
    assert_unavailable,
    named,
    needing,
    not_needing,
)
from tests.integration.troubles.servers import Wire, frozen

pytestmark = pytest.mark.deadline

# Seconds: what a caller waits at most.
IN_TIME = 3.0
# A health check must not take longer.
HEALTH_IN_TIME = 2.0
CASES = [(store, route) for store in (POSTGRESQL, REDIS, SQS) for route in needing(store)]
SPARED = [(store, route) for store in (POSTGRESQL, REDIS, SQS) for route in not_needing(store)]


def ids(value):
    return value if isinstance(value, str) else named(value)


@pytest.fixture
def silent(ports, sqs):
    """Makes a store silent until the end of the block."""

    def make(store):
        return sqs.being_silent() if store == SQS else frozen(ports[store])

    return make


@pytest.mark.parametrize(("store", "route"), CASES, ids=ids)
async def test_a_silent_store_is_a_503_in_time(door, product, silent, store, route):
    with silent(store):
        first = await route.ask(door, product)
        second = await route.ask(door, product)

    for answer in (first, second):
        assert_unavailable(answer, route)
        assert answer.seconds < (HEALTH_IN_TIME if route.path == "/health" else IN_TIME)
    await well_again(door, route, product)


@pytest.mark.parametrize(("store", "route"), SPARED, ids=ids)
async def test_a_route_that_does_not_need_the_store_goes_on(door, product, silent, store, route):
    with silent(store):
        answer = await route.ask(door, product)

    assert answer.status == route.status, answer.text
    assert answer.seconds < IN_TIME


@pytest.mark.parametrize("store", [POSTGRESQL, REDIS, SQS])
async def test_a_crowd_loses_no_connection_and_no_thread(troubled, services, silent, store, sqs,
                                                         new_product):  # fmt: skip
    """Ten times as many as there are connections, some of which leave before their answer."""
    door = AsgiDoor(troubled)
    product = await new_product(500, on_sale=False)
    await door.services.stock.open_sale(product, 500)
    routes = [route for route in needing(store) if route.path != "/health"]
    with silent(store):
        leaving = [
            asyncio.create_task(route.ask(door, product)) for route in routes for _ in range(2)
        ]
        crowd = asyncio.gather(*(all_at_once(door, route, product, 8) for route in routes))
        await asyncio.sleep(0.3)
        for task in leaving:
            task.cancel()
        for route, answers in zip(routes, await crowd, strict=True):
            for answer in answers:
                assert_unavailable(answer, route)
                assert answer.seconds < IN_TIME + 1, named(route)  # one core serves them all

    for route in ROUTES:
        await well_again(door, route, product)
    crowd = await asyncio.gather(*(all_at_once(door, route, product, 4) for route in routes))
    for route, answers in zip(routes, crowd, strict=True):
        assert {answer.status for answer in answers} == {route.status}, named(route)
    size, available, waiting = slots(door)
    assert (available, waiting) == (size, 0)
    await door.close()


@pytest.mark.parametrize("edge", [AsgiDoor, LambdaDoor])
@pytest.mark.parametrize(("store", "route"), [case for case in CASES if case[0] != SQS], ids=ids)
async def test_a_wire_that_swallows_is_a_503_in_time_and_is_replaced(
    edge, troubled, ports, sqs, services, new_product, store, route
):
    """Connections that stand are cut off; those that are made later are well."""
    product = await new_product(500, on_sale=False)
    wires = {name: Wire(port) for name, port in ports.items()}
    with ExitStack() as closing:
        for wire in wires.values():
            closing.callback(wire.close)
        there = {
            url: getattr(troubled, url).replace(
                f":{urlsplit(getattr(troubled, url)).port}", f":{wires[name].port}"
            )
            for name, url in ((REDIS, "redis_url"), (POSTGRESQL, "database_url"))
        }
        door = edge(replace(troubled, **there))

        async def prepare(services):
            await services.stock.open_sale(product, 500)
            await services.database.ping()

        await door.run(prepare)
        wires[store].swallow()

        answer = await route.ask(door, product)

        # With a new connection at once it may also be served.
        assert answer.status in (503, route.status)
        assert answer.seconds < IN_TIME
        await well_again(door, route, product)
        await door.close()
