"""A shop on both edges, whose stores can fail."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from redis import Redis

from flashsale.services import Services
from flashsale_local.stack.program import free_port
from flashsale_local.stack.valkey import valkey
from tests.helpers.support import until
from tests.integration.troubles.edges import AsgiEdge, LambdaEdge
from tests.integration.troubles.routes import ROUTES, named
from tests.integration.troubles.servers import Sqs, Wire


@pytest.fixture(scope="session")
def own_redis(stack):
    """Start a separate Valkey, because these tests make it reject commands."""
    folder = stack.directory / "valkey-troubles"
    folder.mkdir()
    program = replace(valkey(folder, free_port()), name="valkey-troubles")
    stack.add(program)
    yield program
    stack.supervisor.stop_program(program.name)


@pytest.fixture
def sqs(monkeypatch, no_aws):
    sqs = Sqs()
    monkeypatch.setenv("AWS_ENDPOINT_URL", sqs.url)
    yield sqs
    sqs.close()


@pytest.fixture
def ports(own_redis, migrated):
    """Return the ports of the stores by name."""
    return {"redis": own_redis.port, "postgresql": urlsplit(migrated.database_url).port}


@pytest.fixture
def redis(own_redis):
    with Redis.from_url(own_redis.url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def wires(ports):
    """Put proxies before Redis and PostgreSQL for tests that use this fixture."""
    wires = {name: Wire(port) for name, port in ports.items()}
    yield wires
    for wire in wires.values():
        wire.close()


@pytest.fixture
def troubled(request, migrated, own_redis, sqs):
    """Return the settings of a shop with these stores."""
    wires = request.getfixturevalue("wires") if "wires" in request.fixturenames else {}

    def reached(url, name):
        return url.replace(f":{urlsplit(url).port}", f":{wires[name].port}") if wires else url

    queue = f"{sqs.url}/000000000000/orders"
    return replace(
        migrated,
        redis_url=reached(own_redis.url, "redis"),
        database_url=reached(migrated.database_url, "postgresql"),
        orders_queue_url=queue,
        dead_letter_queue_url=queue,
        parking_queue_url=queue,
        database_pool_size=4,
    )


@pytest.fixture(params=[AsgiEdge, LambdaEdge], ids=["asgi", "lambda"])
async def edge(request, troubled):
    edge = request.param(troubled)
    yield edge
    await edge.close()


@pytest.fixture
async def products(edge, services, new_product):
    """Put a product on sale for each route, because some routes pause theirs."""
    made = {route: await new_product(500, on_sale=False) for route in ROUTES}

    async def prepare(services):
        for product_id in made.values():
            await services.stock.open_sale(product_id, 500)
        await services.order_queue.ping()
        await services.database.ping()

    await edge.run(prepare)
    return made


async def ask_all(edge, products, routes, times=1):
    """Return the answer of each route, asked concurrently where the edge allows it."""
    asked = [(route, route.ask(edge, products[route])) for route in routes for _ in range(times)]
    if isinstance(edge, AsgiEdge):
        answers = await asyncio.gather(*(asking for _, asking in asked))
    else:
        answers = [await asking for _, asking in asked]
    return list(zip((route for route, _ in asked), answers, strict=True))


async def well_again(edge, products, routes=ROUTES, deadline=8.0):
    """Check that all routes soon work again in the same process, with all connections."""
    wrong = "not asked"

    async def answers():
        nonlocal wrong
        answered = await ask_all(edge, products, routes)
        wrong = [
            (named(route), a.status, a.text) for route, a in answered if a.status != route.status
        ]
        return not wrong

    try:
        await until(answers, deadline)
    except TimeoutError:
        raise AssertionError(f"still wrong after {deadline} s: {wrong}") from None
    await edge.run(hold_all_connections)


async def hold_all_connections(services):
    """Fail unless all connections of the pool can be used at the same time."""
    async with AsyncExitStack() as held:
        for _ in range(services.settings.database_pool_size):
            await held.enter_async_context(services.database.transaction())


@pytest.fixture
async def shop(troubled):
    """Return the services of a queue function, with one connection to PostgreSQL."""
    shop = Services(replace(troubled, database_pool_size=1, one_at_a_time=True))
    yield shop
    await shop.close()
