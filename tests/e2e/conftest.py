"""The application, built by SAM and deployed to an emulator for these tests."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx
import pytest

from flashsale.config import Settings
from flashsale.usecases.books import read_books
from flashsale_local.deployment import deploy
from flashsale_local.deployment.target import Target
from flashsale_local.stack import edge
from flashsale_local.stack.fake_provider import fake_provider, with_provider
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from flashsale_server.queues.depths import depths
from tests.helpers.deployed import build_and_deploy
from tests.helpers.fake_provider import FakeProvider
from tests.helpers.patience import patient
from tests.helpers.support import USERS, eventually

FLASHSALE = Path(sys.executable).parent / "flashsale"
# Seconds until a failed message is retried. So ten failures take less than a minute.
VISIBILITY_TIMEOUT = 2


@pytest.fixture(scope="session")
def deployed(stack: Stack, migrated: Settings) -> Target:
    """The deployed application, with empty queues."""
    stack.start(stack.emulator)
    target = with_provider(stack, stack.target("flashsale-e2e"))
    target.export()
    parameters = {
        **deploy.local_parameters(target),
        "VisibilityTimeout": str(VISIBILITY_TIMEOUT),
    }
    build_and_deploy(stack, target, parameters)
    assert deploy.migrate(target) == [], "the schema is there already"
    return target


@pytest.fixture(scope="package", autouse=True)
def nothing_stays(stack: Stack) -> Iterator[None]:
    """Stop the emulator after the last test here.

    Its functions would go on to sweep the stores, and boto3 in other tests would call it.
    """
    yield
    stack.supervisor.stop_program(stack.emulator.name)
    os.environ.pop("AWS_ENDPOINT_URL", None)


@pytest.fixture
def http(deployed: Target) -> Iterator[httpx.Client]:
    """A client of the deployed HTTP API."""
    endpoint = deployed.api
    with httpx.Client(base_url=endpoint.url, headers=dict(endpoint.headers), timeout=60) as client:
        yield client


@pytest.fixture
def sqs(deployed: Target):
    return boto3.client("sqs")


def body(product_id: str, user_id: str = USERS[0]) -> dict[str, str]:
    return {"productId": product_id, "userId": user_id}


@pytest.fixture
def books_of(services):
    async def read(product_id):
        (books,) = await read_books(services, [product_id])
        return books

    return read


async def drained(deployed, deadline=120.0):
    def empty():
        return not any(depth.total for depth in depths(deployed.queues).values())

    await asyncio.to_thread(eventually, empty, deadline)


@pytest.fixture
def environment(deployed):
    """The variables of a shell whose commands work on the deployed application."""
    return {
        **os.environ,
        "REDIS_URL": deployed.redis_url,
        "DATABASE_URL": deployed.database_url,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "FLASHSALE_STACK": deployed.stack_name,
        "ROOM_SECRET": deployed.room_secret,
        "COLUMNS": "200",
    }


@pytest.fixture
def flashsale(environment):
    def run(*arguments, **variables):
        return subprocess.run(
            [FLASHSALE, *arguments],
            env={**environment, **variables},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def flashsale_process(environment):
    """Start a command that runs until it is interrupted."""

    @contextmanager
    def start(*arguments):
        with subprocess.Popen(
            [FLASHSALE, *arguments],
            env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    return start


def sweep_now(deployed):
    """Run the sweep function, which the emulator runs each minute as well."""
    boto3.client("lambda").invoke(FunctionName=f"{deployed.stack_name}-sweep")


@pytest.fixture(scope="module")
def asgi_url(stack, deployed):
    web = patient(edge.web(stack.directory, free_port(), deployed, workers=2))
    relay = edge.relay(deployed)
    stack.add(web)
    stack.add(relay)
    yield web.url
    for program in (web, relay):
        stack.supervisor.stop_program(program.name)


@pytest.fixture(scope="module")
def provider(stack, deployed):
    """The fake provider, whose webhooks go to the deployed application."""
    program = fake_provider(int(deployed.provider_url.rpartition(":")[2]), deployed)
    stack.add(program)
    yield FakeProvider(program.url)
    stack.supervisor.stop_program(program.name)
