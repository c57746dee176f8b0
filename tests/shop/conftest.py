"""The shop front of a deployed application, in a real browser.

All tests of this folder share one browser and one event loop.
"""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from flashsale.services import Services
from flashsale_local.sale.warm_up import warm_up
from flashsale_local.stack.program import Program
from tests.e2e.conftest import deployed  # noqa: F401 - a fixture
from tests.helpers import browser
from tests.helpers.patience import raise_limits
from tests.shop.shop import Shop
from tests.shop.ways import WAYS

session = partial(pytest_asyncio.fixture, scope="session", loop_scope="session")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def edge(stack, deployed) -> Program:  # noqa: F811
    """Start the edge, which serves the page, and ends holds without the grace of the real one."""
    # A message comes again after two seconds, and five times, which cold starts would use up.
    asyncio.run(warm_up(deployed))
    return browser.serve(stack, deployed, "sk_test_shop", HOLD_GRACE="0")


@session()
async def services(migrated):
    with pytest.MonkeyPatch.context() as patch:
        raise_limits(patch.setattr)
        services = Services(replace(migrated, room_secrets=("a-secret-of-32-bytes-for-the-tests",)))
        yield services
        await services.close()


@session()
async def chromium():
    async with browser.chromium() as chromium:
        yield chromium


@session()
async def http(edge):
    async with httpx.AsyncClient(base_url=f"{edge.url}/api/v5", timeout=30) as client:
        yield client


@session()
async def everything(services, chromium, http, edge):
    """Return a shop whose pages stay open until all tests have ended."""
    complaints = browser.Complaints(of_answers=False)
    shop = Shop(services, chromium, http, edge.url, complaints=complaints)
    yield shop
    await shop.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(everything):
    """Return the shop. Fail at the end if a page complained, or a request has left this machine."""
    shop = replace(everything, contexts=[], complaints=browser.Complaints(of_answers=False))
    yield shop
    await shop.close()
    assert not shop.complaints.found


async def _walk_all(shop):
    """Return a page in each state, by the name of the way to it; an exception where it failed."""
    pages, turns = {}, asyncio.Semaphore(4)

    async def go(name, way):
        async with turns:
            try:
                pages[name] = await way.go(shop)
                await pages[name].sees(way.state)
            except Exception as error:  # noqa: BLE001 - it is the test's of this state
                pages[name] = error

    await asyncio.gather(*(go(name, way) for name, way in WAYS.items()))
    return pages


@session()
async def streamed(everything):
    return await _walk_all(everything.by("stream"))


@session()
async def polled(everything):
    return await _walk_all(everything.by("poll"))


@pytest.fixture(params=["streamed", "polled"])
def gallery(request):
    """Return a page in each state, which gets what is new by a stream, then by polling."""
    return request.getfixturevalue(request.param)
