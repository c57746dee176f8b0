"""Fixtures of the queue functions' tests."""

import dataclasses
import os
import subprocess
import sys

import pytest

from flashsale.postgres_store import database
from flashsale.redis_store.sold_out import SoldOut
from flashsale.services import Services
from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from tests.helpers.admin_desk import desk_of
from tests.integration.refusals import Clock

FLASHSALE = [sys.executable, "-m", "tests.helpers.patient_command"]


@pytest.fixture(autouse=True)
def no_aws(monkeypatch):
    """Replace SQS by a closed port. By a queue's URL alone, boto3 would call AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")


@pytest.fixture
async def claimed(services, new_product):
    """Return a function that makes a product whose units are all claimed and not ordered."""

    async def make(units, in_postgres=None):
        return await new_product(units if in_postgres is None else in_postgres, in_redis=0)

    return make


@pytest.fixture
async def without(migrated):
    """Return a function that makes services without one store: `without("redis_url")`."""
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
    """Return a client of the admin API in process."""
    async with desk_of(services) as desk:
        yield desk


@pytest.fixture
def clock(services):
    """Return the clock by which `services` remember what is sold out. It stands still."""
    clock = Clock()
    services.sold_out = SoldOut(services.settings.sold_out_for, clock)
    return clock


@pytest.fixture
async def other(services):
    """Return the services of another process."""
    other = Services(services.settings)
    yield other
    await other.close()


@pytest.fixture
def long_line(monkeypatch):
    """Let callers wait long for a connection to PostgreSQL, where many ask at the same time."""
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 60)


@pytest.fixture
def flashsale(migrated):
    """Return a function that runs a command, as the operator ops unless it names another one."""
    stores = {"REDIS_URL": migrated.redis_url, "DATABASE_URL": migrated.database_url}

    def run(*arguments, typed="", **environment):
        return subprocess.run(
            [*FLASHSALE, *arguments],
            env={**os.environ, **stores, "LOGNAME": "ops", "COLUMNS": "200", **environment},
            cwd=ROOT, input=typed, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(autouse=True)
def unhurried_scrapes(monkeypatch):
    """The books of all tests' products may take the exporter longer than its deadline."""
    monkeypatch.setattr("flashsale_server.exporter.exporter.DEADLINE", 60.0)
