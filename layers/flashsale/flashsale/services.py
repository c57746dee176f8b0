"""The service registry: the only place that builds clients and adapters.

A process has one registry, `runtime.process.services()`. Tests and tools make their own.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from flashsale.config import Settings
from flashsale.redis_store.failures import Failures
from flashsale.redis_store.held_claims import HeldClaims
from flashsale.redis_store.known_rooms import KnownRooms
from flashsale.redis_store.ledger import Ledger
from flashsale.redis_store.relay_inbox import RelayInbox
from flashsale.redis_store.room_copies import RoomCopies
from flashsale.redis_store.rooms import Rooms
from flashsale.redis_store.sold_out import SoldOut
from flashsale.redis_store.stock import Stock
from flashsale.redis_store.unrecorded import UnrecordedPauses

if TYPE_CHECKING:
    from flashsale.auth.room_tokens import RoomTokens
    from flashsale.auth.tokens import Tokens
    from flashsale.postgres_store.audit import Audit
    from flashsale.postgres_store.database import Address, Database
    from flashsale.postgres_store.holds import Holds
    from flashsale.postgres_store.orders import Orders
    from flashsale.postgres_store.payment_attempts import PaymentAttempts
    from flashsale.postgres_store.payments import Payments
    from flashsale.postgres_store.products import Products
    from flashsale.postgres_store.rooms import RoomRows
    from flashsale.provider.port import PaymentProvider
    from flashsale.sqs_store.order_queue import OrderQueue

# ruff: noqa: PLC0415 - psycopg and boto3 are a quarter of a cold start; import them when needed

# Seconds. A buyer learns within two seconds that a service is down.
REDIS_CONNECT_TIMEOUT = 0.5
REDIS_TIMEOUT = 1.0
REDIS_CONNECTIONS = 32  # per process; scripts share one, see Script
SQS_CONNECT_TIMEOUT = 0.5


class Services:
    """All services of a process, each built on first use.

    Nothing connects before it is used, so a registry can be made while a store is down.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def redis(self) -> Redis:
        """The Redis client that all adapters share."""
        url = self.settings.redis_url
        options: dict[str, Any] = {
            "decode_responses": True,
            "socket_connect_timeout": REDIS_CONNECT_TIMEOUT,
            "socket_timeout": REDIS_TIMEOUT,
            # No retries: a script whose response was lost may have run, and would run twice.
            "retry": Retry(NoBackoff(), 0),
        }
        if "+cluster" in url:
            # It has the methods that we use, but the two types have no common base class.
            cluster: Any = RedisCluster.from_url(url.replace("+cluster", "", 1), **options)
            return cast("Redis", cluster)
        # A request waits for a free connection as long as for a response, instead of failing.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=REDIS_CONNECTIONS, timeout=REDIS_TIMEOUT, **options
        )
        return Redis.from_pool(pool)

    @cached_property
    def sold_out(self) -> SoldOut:
        """The products that were sold out a moment ago, in this process."""
        return SoldOut(self.settings.sold_out_for)

    @cached_property
    def known_rooms(self) -> KnownRooms:
        """The products that a waiting room guards, as this process learned a moment ago."""
        return KnownRooms(self.room_tokens)

    @cached_property
    def rooms(self) -> Rooms:
        """Waiting rooms, in Redis."""
        return Rooms(self.redis, self.known_rooms)

    @cached_property
    def room_copies(self) -> RoomCopies:
        """The newest copies of the rooms' public states, in this process."""
        return RoomCopies()

    @cached_property
    def stock(self) -> Stock:
        """The units that can be claimed, in Redis."""
        return Stock(self.redis, self.sold_out, self.known_rooms)

    @cached_property
    def unrecorded_pauses(self) -> UnrecordedPauses:
        """The pauses that the audit does not have yet, in Redis."""
        return UnrecordedPauses(self.redis)

    @cached_property
    def ledger(self) -> Ledger:
        """The unsettled claims of V5, in Redis."""
        return Ledger(self.redis, self.sold_out, self.known_rooms, self.settings.rate_limits)

    @cached_property
    def held_claims(self) -> HeldClaims:
        """The claims of V5 whose orders are RESERVED, in Redis."""
        return HeldClaims(self.redis, self.settings.hold_grace)

    @cached_property
    def relay_inbox(self) -> RelayInbox:
        """The inbox of the relay process, in Redis."""
        return RelayInbox(self.redis)

    @cached_property
    def failures(self) -> Failures:
        """Why messages failed, in Redis."""
        return Failures(self.redis)

    @cached_property
    def database(self) -> "Database":
        """The pool of connections to PostgreSQL."""
        from flashsale.postgres_store.database import Database

        address: Address = self.settings.database_url
        if self.settings.database_iam:
            from flashsale.postgres_store.rds_token import conninfo_with_token

            address = conninfo_with_token(self.settings.database_url)
        return Database(address, self.settings.database_pool_size)

    @cached_property
    def products(self) -> "Products":
        """Products in PostgreSQL."""
        from flashsale.postgres_store.products import Products

        return Products(self.database)

    @cached_property
    def orders(self) -> "Orders":
        """Orders in PostgreSQL."""
        from flashsale.postgres_store.orders import Orders

        return Orders(self.database, register_buyers=self.settings.auth == "jwt")

    @cached_property
    def holds(self) -> "Holds":
        """The ends of payment holds, in PostgreSQL."""
        from flashsale.postgres_store.holds import Holds

        return Holds(self.database)

    @cached_property
    def payments(self) -> "Payments":
        """Payments in PostgreSQL."""
        from flashsale.postgres_store.payments import Payments

        return Payments(self.database)

    @cached_property
    def payment_attempts(self) -> "PaymentAttempts":
        """The payments that buyers began, in PostgreSQL."""
        from flashsale.postgres_store.payment_attempts import PaymentAttempts

        return PaymentAttempts(self.database)

    @cached_property
    def room_rows(self) -> "RoomRows":
        """What outlives Redis of waiting rooms, in PostgreSQL."""
        from flashsale.postgres_store.rooms import RoomRows

        return RoomRows(self.database)

    @cached_property
    def audit(self) -> "Audit":
        """The audit log of admins' actions, in PostgreSQL."""
        from flashsale.postgres_store.audit import Audit

        return Audit(self.database)

    @cached_property
    def order_queue(self) -> "OrderQueue":
        """The queue between a claim and its order, in SQS."""
        from botocore.config import Config
        from botocore.session import get_session

        from flashsale.sqs_store.order_queue import SQS_TIMEOUT, THREADS, OrderQueue
        from flashsale.sqs_store.prepared_sqs import PreparedSqs

        config = Config(
            connect_timeout=SQS_CONNECT_TIMEOUT,
            read_timeout=SQS_TIMEOUT,
            max_pool_connections=THREADS,
            retries={"total_max_attempts": 1},  # see OrderQueue
            tcp_keepalive=True,
            # These two save a fifth of a call of boto3's client: it validates our arguments, and
            # builds its long User-Agent twice.
            parameter_validation=False,
            user_agent="flashsale",
        )
        session = get_session()
        # X-Ray traces the calls of boto3's own client only.
        traced = self.settings.tracing
        sqs: Any = (
            session.create_client("sqs", config=config) if traced else PreparedSqs(session, config)
        )
        return OrderQueue(sqs, self.settings.orders_queue_url, blocking=self.settings.one_at_a_time)

    @cached_property
    def provider(self) -> "PaymentProvider | None":
        """The payment provider; None where none is set."""
        if self.settings.provider is None:
            return None
        from flashsale.provider.stripe import Stripe

        return Stripe(self.settings.provider.url, self.settings.provider.key)

    @cached_property
    def tokens(self) -> "Tokens":
        """The verifier of access tokens."""
        from flashsale.auth.tokens import Tokens

        return Tokens(self.settings.trusted_issuer)

    @cached_property
    def room_tokens(self) -> "RoomTokens | None":
        """The tickets and admissions of waiting rooms; None where no secret is set."""
        if not self.settings.room_secrets:
            return None
        from flashsale.auth.room_tokens import RoomTokens

        return RoomTokens(self.settings.room_secrets)

    async def close(self) -> None:
        """Close all connections. Tests and tools need it; a Lambda function keeps them open."""
        if "room_copies" in self.__dict__:
            await self.room_copies.close()
        if "redis" in self.__dict__:
            await self.redis.aclose()
        if "database" in self.__dict__:
            await self.database.close()
