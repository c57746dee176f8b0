"""Web workers on real stores, and clients that listen to their streams."""

import asyncio
import dataclasses
from types import SimpleNamespace

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from flashsale.services import Services
from flashsale_local.deployment import sign_in
from flashsale_local.stack import edge as edge_programs
from flashsale_local.stack.program import free_port
from loadtest.streams.reader import open_stream
from tests.helpers.patience import patient
from tests.helpers.support import by_labels, eventually
from tests.integration.held_shop import held_shop


@pytest.fixture(scope="session")
def target(stack, migrated):
    """Return the stores, and a queue that is a closed port."""
    target = stack.target("streams")
    names = "Orders", "DeadLetter", "Parking", "Payments", "PaymentsDeadLetter"
    url = migrated.orders_queue_url
    target.__dict__["outputs"] = {f"{name}QueueUrl": url for name in names}
    return target


class Edge:
    """A web worker, and the streams that a test has opened."""

    def __init__(self, stack, program):
        self.stack, self.program, self.port, self.url = stack, program, program.port, program.url
        self.readers = []

    async def listen(self, path, address="", **headers):
        """Open a stream as a client with this address, or with that of this machine."""
        headers = {"X-Forwarded-For": address, **headers} if address else headers
        reader = await open_stream(self.port, path, headers)
        self.readers.append(reader)
        return reader

    async def sale(self, product_id, **options):
        return await self.listen(f"/api/v5/products/{product_id}/events", **options)

    async def order(self, order_id, **options):
        return await self.listen(f"/api/v5/orders/{order_id}/events", **options)

    async def get(self, path):
        """Return what the API answers."""
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as http:
            return (await http.get(path)).json()

    def counted(self, name, *labels):
        """Return the value of a metric, 0 before the first."""
        text = httpx.get(f"{self.url}/metrics", timeout=20).text
        return by_labels(text_string_to_metric_families(text)).get((name, *labels), 0.0)

    def open_streams(self):
        """Return how many streams the hub counts."""
        kinds = "sale", "order"
        opened = sum(self.counted("streams_opened_total", kind) for kind in kinds)
        text = httpx.get(f"{self.url}/metrics", timeout=20).text
        values = by_labels(text_string_to_metric_families(text))
        return opened - sum(n for key, n in values.items() if key[0] == "streams_closed_total")

    @staticmethod
    async def until(condition):
        """Wait for a condition that asks the edge, while streams go on."""
        return await asyncio.to_thread(eventually, condition)

    def master(self):
        """Return granian's process."""
        return psutil.Process(self.stack.supervisor.info()[self.program.name]["pid"])

    def worker(self):
        """Return the process of the one web worker."""
        (worker,) = (one for one in self.master().children() if "granian" in str(one.cmdline()))
        return worker

    def close(self):
        for reader in self.readers:
            reader.close()
        self.readers.clear()


# For this folder only: a web worker ends the holds of all tests that have the same stores.
@pytest.fixture(scope="package")
def serve(stack, target):
    """Return a function that starts a web worker, with these environment variables."""
    started = []

    def start(name, app=None, **more):
        more = {"TRUSTED_PROXIES": "127.0.0.1", **more}
        program = edge_programs.web(stack.directory / name, free_port(), target, workers=1, **more)
        if app is None:
            program = patient(program)
        else:
            program = dataclasses.replace(program, command=[*program.command, app])
        program = dataclasses.replace(program, name=name)
        stack.add(program)
        started.append(name)
        return program

    yield start
    for name in started:
        stack.supervisor.stop_program(name)


@pytest.fixture(scope="package")
def open_program(serve):
    return serve("streams-open")


@pytest.fixture(scope="package")
def guarded_program(serve):
    return serve("streams-guarded", AUTH="jwt")


@pytest.fixture
async def edge(stack, open_program):
    edge = Edge(stack, open_program)
    yield edge
    edge.close()


@pytest.fixture
async def guarded(stack, guarded_program):
    """Return a web worker where buyers need a token."""
    edge = Edge(stack, guarded_program)
    yield edge
    edge.close()


@pytest.fixture
def bearer(target):
    """Return a function that makes the header with a token of the stack's issuer."""

    def headers(user_id, minutes=60.0):
        token = sign_in.mint(target.token_secret, user_id, admin=False, minutes=minutes)
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture
async def services(migrated, target):
    """Return services that sign the same tickets as the edge."""
    services = Services(dataclasses.replace(migrated, room_secrets=(target.room_secret,)))
    yield services
    await services.close()


@pytest.fixture
async def shop(services, new_product):
    """Return a product whose buyers have ten minutes to pay."""
    return await held_shop(services, new_product)


@pytest.fixture
def stores(stack):
    """Return functions that stop and start a store. Both run after the test."""

    def stop(program):
        stack.supervisor.stop_program(program.name)

    yield SimpleNamespace(stop=stop, start=stack.start, redis=stack.redis, database=stack.database)
    for program in (stack.redis, stack.database):
        stack.start(program)


@pytest.fixture
def redis(stack):
    with Redis.from_url(stack.redis_url, decode_responses=True) as redis:
        yield redis
