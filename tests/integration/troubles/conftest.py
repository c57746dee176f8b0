"""A shop on both edges, each store of which can be in trouble."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from redis import Redis

from infra.stack.program import free_port
from infra.stack.valkey import valkey
from tests.integration.troubles.doors import AsgiDoor, LambdaDoor
from tests.integration.troubles.servers import Sqs
from tests.support import until


@pytest.fixture(scope="session")
def own_redis(stack):
    """A Valkey of these tests' own: what it is told to refuse, no other test meets."""
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
    """Where the stores listen, by name."""
    return {"redis": own_redis.port, "postgresql": urlsplit(migrated.database_url).port}


@pytest.fixture
def redis(own_redis):
    with Redis.from_url(own_redis.url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def troubled(migrated, own_redis, sqs):
    """Settings of a shop with these stores."""
    queue = f"{sqs.url}/000000000000/orders"
    return replace(
        migrated,
        redis_url=own_redis.url,
        orders_queue_url=queue,
        dead_letter_queue_url=queue,
        parking_queue_url=queue,
        database_pool_size=4,
    )


@pytest.fixture(params=[AsgiDoor, LambdaDoor], ids=["asgi", "lambda"])
async def door(request, troubled):
    door = request.param(troubled)
    yield door
    await door.close()


@pytest.fixture
async def product(services, door, redis, new_product):
    """A product that is on sale here, after a first purchase: so all connections are open."""
    product_id = await new_product(500, on_sale=False)

    async def prepare(services):
        await services.stock.open_sale(product_id, 500)
        await services.order_queue.ping()
        await services.database.ping()

    await door.run(prepare)
    return product_id


async def well_again(door, route, product_id, deadline=8.0):
    """The route answers as ever, soon, in the same process."""

    async def answers():
        return (await route.ask(door, product_id)).status == route.status

    await until(answers, deadline)


def slots(door):
    """Connections of the pool that nobody holds."""
    stats = door.services.database._pool.get_stats()
    return stats["pool_size"], stats["pool_available"], stats.get("requests_waiting", 0)


async def all_at_once(door, route, product_id, count):
    return await asyncio.gather(*(route.ask(door, product_id) for _ in range(count)))
