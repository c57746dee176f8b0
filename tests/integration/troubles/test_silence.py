"""A store that is silent: each request is answered in time, and everything recovers."""

import asyncio

import pytest

from tests.integration.troubles.conftest import ask_all, well_again
from tests.integration.troubles.edges import AsgiEdge
from tests.integration.troubles.routes import (
    POSTGRESQL,
    REDIS,
    ROUTES,
    SQS,
    assert_unavailable,
    named,
)
from tests.integration.troubles.servers import frozen

pytestmark = pytest.mark.deadline

# Seconds that a caller waits at most: `ANSWER_TIME`, and a stall of this machine.
IN_TIME = 4.5
# A health check must not take longer: `CHECK_TIME`, and a stall.
HEALTH_IN_TIME = 3.5
STORES = [POSTGRESQL, REDIS, SQS]


def limit_of(route):
    return HEALTH_IN_TIME if route.path == "/health" else IN_TIME


@pytest.fixture
def silent(ports, sqs):
    """Return a function that makes a store silent until the end of its block."""

    def make(store):
        return sqs.being_silent() if store == SQS else frozen(ports[store])

    return make


@pytest.mark.parametrize("store", STORES)
async def test_a_silent_store_is_a_503_in_time_on_routes_that_need_it(
    edge, products, silent, store
):
    with silent(store):
        answered = await ask_all(edge, products, ROUTES)

    for route, answer in answered:
        assert answer.seconds < limit_of(route), (named(route), answer)
        if store in route.needs:
            assert_unavailable(answer, route)
        else:
            assert answer.status == route.status_without(store), (named(route), answer)
    await well_again(edge, products)


@pytest.mark.parametrize("edge", [AsgiEdge], indirect=True)
@pytest.mark.parametrize("store", STORES)
async def test_a_crowd_loses_no_connection_and_no_thread(edge, products, silent, store):
    """There are far more callers than connections, and some leave before their answer."""
    routes = [route for route in ROUTES if store in route.needs]
    with silent(store):
        crowd = asyncio.create_task(ask_all(edge, products, routes, times=8))
        leaving = asyncio.create_task(ask_all(edge, products, routes, times=2))
        await asyncio.sleep(0.3)
        leaving.cancel()
        for route, answer in await crowd:
            assert_unavailable(answer, route)
            assert answer.seconds < limit_of(route) + 1, named(route)  # one core serves them

    await well_again(edge, products)


@pytest.mark.parametrize("store", [POSTGRESQL, REDIS])
async def test_cut_off_connections_are_abandoned_in_time_and_replaced(wires, edge, products, store):
    """Open connections are cut off, and new ones work."""
    await ask_all(edge, products, ROUTES)
    wires[store].swallow()

    for route, answer in await ask_all(edge, products, ROUTES):
        # A new connection may also serve it.
        served = answer.status in (route.status, route.status_without(store))
        assert served or store in route.needs, (named(route), answer)
        if not served:
            assert_unavailable(answer, route)
        assert answer.seconds < limit_of(route), (named(route), answer)

    await well_again(edge, products)
