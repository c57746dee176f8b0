"""The composition root: the only place that builds clients."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from flashsale.config import Settings
from flashsale.database import Database
from flashsale.failures import Failures
from flashsale.order_queue import OrderQueue
from flashsale.orders import Orders
from flashsale.products import Products
from flashsale.stock import Stock

# Seconds. A buyer hears within two seconds that a service is down.
REDIS_CONNECT_TIMEOUT = 0.5
REDIS_TIMEOUT = 1.0
SQS_CONNECT_TIMEOUT = 0.5
SQS_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a use case can ask for."""

    stock: Stock
    products: Products
    orders: Orders
    order_queue: OrderQueue
    failures: Failures
    database: Database
    redis: Redis

    async def close(self) -> None:
        """Close all connections; for tests and tools, a Lambda keeps them."""
        await self.redis.aclose()
        await self.database.close()


def bootstrap(settings: Settings) -> Services:
    """Build the services. Nothing is connected yet, so this works while a store is down."""
    redis: Redis = Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        socket_connect_timeout=REDIS_CONNECT_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        # No retries: a script whose answer was lost may have run, and would run twice.
        retry=Retry(NoBackoff(), 0),
    )
    database = Database(settings.database_url, settings.database_pool_size)
    sqs = boto3.client(
        "sqs",
        config=Config(
            connect_timeout=SQS_CONNECT_TIMEOUT,
            read_timeout=SQS_TIMEOUT,
            retries={"total_max_attempts": 1},  # see OrderQueue
            tcp_keepalive=True,
        ),
    )
    return Services(
        stock=Stock(redis),
        products=Products(database),
        orders=Orders(database),
        order_queue=OrderQueue(sqs, settings.orders_queue_url),
        failures=Failures(redis),
        database=database,
        redis=redis,
    )
