"""Fixtures of the queue functions' tests."""

import dataclasses

import pytest

from flashsale.services import Services
from flashsale_local.stack.program import free_port
from tests.integration.admin_desk import desk_of


@pytest.fixture(autouse=True)
def no_aws(monkeypatch):
    """There is no SQS here, but a closed port: by a queue's URL alone boto3 asks AWS itself."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")


@pytest.fixture
async def claimed(services, new_product):
    """A product whose units were all claimed: nothing left in Redis, all still in PostgreSQL."""

    async def make(units, in_postgres=None):
        return await new_product(units if in_postgres is None else in_postgres, in_redis=0)

    return make


@pytest.fixture
async def without(migrated):
    """The services with one store gone: `without("redis_url")`."""
    made = []

    def build(url):
        scheme = getattr(migrated, url).split(":")[0]
        gone = dataclasses.replace(migrated, **{url: f"{scheme}://127.0.0.1:{free_port()}/0"})
        made.append(Services(gone))
        return made[-1]

    yield build
    for services in made:
        await services.close()


@pytest.fixture
async def desk(services):
    """The admin API in process."""
    async with desk_of(services) as desk:
        yield desk
