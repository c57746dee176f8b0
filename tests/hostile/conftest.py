"""Both edges on real stores, as targets of attacks."""

import asyncio
import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import psycopg
import pytest
from redis import Redis

from flashsale.config import Rate, TrustedIssuer
from flashsale.http.application import create_admin_app, create_app
from flashsale.http.gateway import lambda_handler
from flashsale.services import Services
from flashsale.sqs_store.order_queue import OrderQueue
from flashsale_local.deployment import sign_in
from flashsale_local.sale.seed import seed
from flashsale_local.stack import edge as edge_programs
from flashsale_local.stack.program import free_port
from tests.helpers.edges import Asgi, Lambda
from tests.helpers.patience import patient
from tests.helpers.stores import migrate_and_seed, running_stack, settings_of
from tests.helpers.support import USERS
from tests.hostile.shop import UNITS, Shop

# Claims of one product a day, by buyer and by address. They are few, so each test meets the limits.
LIMITS = {"RATE_LIMIT_USER": Rate(2, 86_400), "RATE_LIMIT_ADDRESS": Rate(10_000, 86_400)}


@pytest.fixture(scope="session")
def stack():
    """Servers of these tests' own: they compare all that the stores hold before and after."""
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def settings(stack):
    return settings_of(stack)


@pytest.fixture(scope="session")
def migrated(settings):
    migrate_and_seed(settings)
    return settings


@pytest.fixture(scope="session")
def sqs(stack):
    stack.start(stack.emulator)
    return boto3.client("sqs", endpoint_url=stack.endpoint_url)


@pytest.fixture(scope="session")
def queue_url(sqs):
    """Make a queue without a reader, because purchases of attackers need not become orders."""
    return sqs.create_queue(QueueName="hostile")["QueueUrl"]


@pytest.fixture(scope="session")
def target(stack, queue_url):
    """Return the stores and that queue, without a deployment."""
    target = stack.target("hostile")
    names = "Orders", "DeadLetter", "Parking", "Payments", "PaymentsDeadLetter"
    target.__dict__["outputs"] = {f"{name}QueueUrl": queue_url for name in names}
    return target


@pytest.fixture(scope="session")
def asgi(stack, migrated, target):
    """Serve the ASGI edge as `flashsale up --edge asgi` does."""
    program = patient(edge_programs.web(stack.directory, free_port(), target, workers=2))
    stack.add(program)
    yield Asgi(program.url)
    stack.supervisor.stop_program(program.name)


@pytest.fixture(scope="session")
def one_thread():
    """Start the thread whose event loop runs Mangum and its connections."""
    with ThreadPoolExecutor(
        1, initializer=lambda: asyncio.set_event_loop(asyncio.new_event_loop())
    ) as thread:
        yield thread


@pytest.fixture(scope="session")
def guarded_asgi(stack, migrated, target):
    """Serve the ASGI edge with tokens and rate limits for buyers."""
    limits = {name: f"{rate.requests}/{rate.seconds}" for name, rate in LIMITS.items()}
    folder = stack.directory / "guarded"
    program = edge_programs.web(folder, free_port(), target, workers=1, AUTH="jwt", **limits)
    program = dataclasses.replace(patient(program), name="guarded-edge")
    stack.add(program)
    yield Asgi(program.url)
    stack.supervisor.stop_program(program.name)


@pytest.fixture(scope="session")
def serve(migrated, sqs, queue_url, target, one_thread):
    """Return a function that makes services with other settings. They trust the stack's tokens."""
    made = []

    def make(**changes):
        trust = TrustedIssuer(sign_in.ISSUER, sign_in.AUDIENCE, secret=target.token_secret)
        own = {"trusted_issuer": trust, "room_secrets": (target.room_secret,)}
        services = Services(dataclasses.replace(migrated, **own, **changes))
        services.order_queue = OrderQueue(sqs, queue_url)
        made.append(services)
        return services

    yield make
    for services in made:
        one_thread.submit(Lambda.run, services.close).result()


@pytest.fixture(scope="session")
def lambda_services(serve):
    return serve()


@pytest.fixture(scope="session")
def guarded_services(serve):
    user, address = LIMITS.values()
    return serve(auth="jwt", rate_limits={"user": user, "address": address})


@pytest.fixture
def aws_lambda(lambda_services, one_thread):
    """Return the handler of the buy function, called with events of API Gateway."""
    return Lambda(lambda_handler(create_app(lambda: lambda_services)), one_thread)


@pytest.fixture
def admin_lambda(lambda_services, one_thread):
    """Return the handler of the admin function in the same way."""
    return Lambda(lambda_handler(create_admin_app(lambda: lambda_services)), one_thread)


@pytest.fixture
def guarded_lambda(guarded_services, one_thread):
    """Return the buy function with tokens and rate limits for buyers."""
    return Lambda(lambda_handler(create_app(lambda: guarded_services)), one_thread)


@pytest.fixture(params=["asgi", "aws_lambda"])
def edge(request):
    """Return each edge in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["guarded_asgi", "guarded_lambda"])
def guarded_edge(request):
    """Return each edge in turn, where buyers need a token."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["asgi", "admin_lambda"])
def admin_edge(request):
    """Return the admin API on each edge."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def bearer(target):
    """Return a function that makes the header with a token of the stack's issuer."""

    def headers(user_id, *, admin=False):
        token = sign_in.mint(target.token_secret, user_id, admin=admin, minutes=60)
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture(scope="session")
def stores(migrated):
    """Return connections of the tests to Redis and PostgreSQL."""
    with (
        Redis.from_url(migrated.redis_url, decode_responses=True) as redis,
        psycopg.connect(migrated.database_url, autocommit=True) as database,
    ):
        yield redis, database


@pytest.fixture
def shop(stores, lambda_services, one_thread):
    """Put a product on sale, and return it with the stores."""
    product_id = f"t-{uuid.uuid4().hex[:12]}"

    async def open_sale():
        await seed(lambda_services, USERS[:3], [product_id], UNITS)
        await lambda_services.stock.open_sale(product_id, UNITS)

    one_thread.submit(Lambda.run, open_sale).result()
    return Shop(product_id, *stores)
