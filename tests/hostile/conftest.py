"""Both edges on real stores, for tests that attack them."""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import psycopg
import pytest
from redis import Redis

from flashsale import process
from flashsale.bootstrap import Services
from flashsale.order_queue import OrderQueue
from functions.buy import app as buy
from infra.seed import seed
from infra.stack import edge as edge_programs
from infra.stack.program import free_port
from tests.hostile.doors import Asgi, Lambda
from tests.hostile.shop import UNITS, Shop
from tests.support import USERS


@pytest.fixture(scope="session")
def sqs(stack):
    stack.start(stack.emulator)
    return boto3.client("sqs", endpoint_url=stack.endpoint_url)


@pytest.fixture(scope="session")
def queue_url(sqs):
    """A queue that nobody reads: what hostile buyers bought need not become orders."""
    return sqs.create_queue(QueueName="hostile")["QueueUrl"]


@pytest.fixture(scope="session")
def target(stack, queue_url):
    """The stores and that queue, without a deployment."""
    target = stack.target("hostile")
    names = ("OrdersQueueUrl", "DeadLetterQueueUrl", "ParkingQueueUrl")
    target.__dict__["outputs"] = dict.fromkeys(names, queue_url)
    return target


@pytest.fixture(scope="session")
def asgi(stack, migrated, target):
    """The ASGI edge, as `flashsale up --edge asgi` serves it."""
    program = edge_programs.web(stack.directory, free_port(), target, workers=2)
    stack.add(program)
    yield Asgi(program.url)
    stack.supervisor.stop_program(program.name)


@pytest.fixture(scope="session")
def one_thread():
    """Mangum and its connections belong to one event loop, and that to one thread."""
    with ThreadPoolExecutor(
        1, initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop())
    ) as thread:
        yield thread


@pytest.fixture(scope="session")
def lambda_services(migrated, sqs, queue_url, one_thread):
    services = Services(migrated)
    services.order_queue = OrderQueue(sqs, queue_url)
    yield services
    one_thread.submit(Lambda.run, services.close).result()


@pytest.fixture
def aws_lambda(lambda_services, one_thread, monkeypatch):
    """The buy function behind API Gateway: its handler, with events as API Gateway makes them."""
    monkeypatch.setattr(process, "services", lambda: lambda_services)
    return Lambda(buy.handler, one_thread)


@pytest.fixture(params=["asgi", "aws_lambda"])
def door(request):
    """Each edge in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def stores(migrated):
    """Redis and PostgreSQL, as the tests look into them."""
    with (
        Redis.from_url(migrated.redis_url, decode_responses=True) as redis,
        psycopg.connect(migrated.database_url, autocommit=True) as database,
    ):
        yield redis, database


@pytest.fixture
def shop(stores, lambda_services, one_thread):
    """A product on sale, and what the stores hold."""
    product_id = f"t-{uuid.uuid4().hex[:12]}"

    async def open_sale():
        await seed(lambda_services, USERS[:3], [product_id], UNITS)
        await lambda_services.stock.open_sale(product_id, UNITS)

    one_thread.submit(Lambda.run, open_sale).result()
    return Shop(product_id, *stores)
