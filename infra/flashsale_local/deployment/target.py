"""Which deployment a command works on: the local stack, or one on AWS."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

import psycopg

from flashsale.config import Settings
from flashsale.errors import ConfigError, DatabaseUnavailable
from flashsale.services import Services
from flashsale_local.clouds import Cloud, at
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import preflight
from flashsale_local.deployment.outputs import read_outputs
from flashsale_local.problems import Problem, StackDown

STACK_NAME = "flashsale"
DEFAULT_EMULATOR = "ministack"
# The value of EMULATOR that means AWS itself.
AWS = "aws"
# One process may run many queries concurrently.
POOL_SIZE = 8

T = TypeVar("T")

# Fields of `Target` that only its file tells.
_KEPT = (
    *("asgi_url", "exporter_url", "prometheus_url", "grafana_url", "provider_url"),
    "sign_in_url",
    *("auth", "token_secret", "webhook_secret", "provider_key", "room_secret"),
)


class Edge(StrEnum):
    """What terminates HTTP."""

    LAMBDA = "lambda"
    ASGI = "asgi"


def masked(url: str) -> str:
    """Return a URL without its password and its query, which may have a password, too."""
    front, at, rest = url.rpartition("@")
    scheme, slashes, user = front.partition("://")
    shown = rest.partition("?")[0]
    if "?" in front:  # an @ after a ? is ambiguous, so everything is hidden
        return f"{scheme}{slashes}…"
    return f"{scheme}{slashes}{user.partition(':')[0]}{at}{shown}"


@dataclass(frozen=True)
class Target:
    """Addresses of one deployment.

    Attributes:
        endpoint_url: the emulator's; "" on AWS.
        asgi_url: the ASGI edge's, if it was started.
        emulator: what answers at `endpoint_url`, ministack or localstack; aws on AWS.
        exporter_url, prometheus_url, grafana_url: of these programs, if they were started.
        provider_url: of the fake payment provider, if it was started.
        sign_in_url: of the sign-in for made-up users, if it was started.
        provider_key: with which the application calls it; "" elsewhere.
        auth: "jwt" if buyers need a token.
        token_secret: signs the tokens of a local stack; "" elsewhere.
        webhook_secret: signs the webhooks of a local stack; "" elsewhere.
        room_secret: signs the tickets of a local stack's waiting rooms; "" elsewhere.

    """

    redis_url: str
    database_url: str
    endpoint_url: str
    stack_name: str = STACK_NAME
    asgi_url: str = ""
    emulator: str = DEFAULT_EMULATOR
    exporter_url: str = ""
    prometheus_url: str = ""
    grafana_url: str = ""
    auth: str = "none"
    token_secret: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    provider_url: str = ""
    sign_in_url: str = ""
    provider_key: str = field(default="", repr=False)
    room_secret: str = field(default="", repr=False)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the addresses of the running local stack. Environment variables overrule them.

        EMULATOR tells which emulator another AWS_ENDPOINT_URL is. With EMULATOR=aws, addresses of
        a local stack are ignored.
        """
        path, on_aws = directory / "target.json", os.environ.get("EMULATOR") == AWS
        if on_aws:
            preflight.region(os.environ)
        saved = json.loads(path.read_text()) if path.exists() and not on_aws else {}
        endpoint_url = os.environ.get("AWS_ENDPOINT_URL") or saved.get("endpoint_url", "")
        own = saved.get("emulator") if endpoint_url == saved.get("endpoint_url") else None
        target = cls(
            redis_url=os.environ.get("REDIS_URL") or saved.get("redis_url", ""),
            database_url=os.environ.get("DATABASE_URL") or saved.get("database_url", ""),
            endpoint_url=endpoint_url,
            stack_name=os.environ.get("FLASHSALE_STACK") or saved.get("stack_name", STACK_NAME),
            emulator=own or os.environ.get("EMULATOR") or DEFAULT_EMULATOR,
            **{name: saved[name] for name in _KEPT if name in saved},
        )
        if not target.redis_url or not target.database_url:
            raise StackDown(
                "No local stack was started here, and REDIS_URL and DATABASE_URL are not set."
            )
        target.export()
        return target

    def save(self, directory: Path) -> None:
        """Save the addresses for later commands."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "target.json"
        path.touch()
        path.chmod(0o600)  # it has the secrets that sign, and it may have passwords
        path.write_text(json.dumps(asdict(self), indent=2))

    @property
    def aws_environment(self) -> dict[str, str]:
        """Environment variables that point boto3 and SAM at the emulator; none on AWS."""
        if not self.endpoint_url:
            return {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",  # emulators accept any key
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def export(self) -> None:
        """Point boto3 and SAM in this process and its children at the emulator."""
        os.environ.update(self.aws_environment)

    @cached_property
    def cloud(self) -> Cloud:
        """The emulator or AWS, behind one interface."""
        return at(self.endpoint_url, self.emulator)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of the CloudFormation stack, by name.

        Raises:
            Problem: the application is not deployed, or the emulator or AWS does not answer.

        """
        return read_outputs(self.stack_name)

    @property
    def api(self) -> Endpoint:
        """The HTTP API in front of the buy function."""
        return self.cloud.endpoint(self.outputs)

    @property
    def admin_endpoint(self) -> Endpoint:
        """The HTTP API in front of the admin function."""
        return self.cloud.endpoint(self.outputs, "AdminUrl")

    @property
    def webhook_endpoint(self) -> Endpoint:
        """The HTTP API in front of the webhook function."""
        return self.cloud.endpoint(self.outputs, "WebhookUrl")

    @property
    def edges(self) -> dict[str, Endpoint]:
        """The endpoint of the buyers' API at each edge."""
        return {"lambda": self.api} | ({"asgi": Endpoint(self.asgi_url)} if self.asgi_url else {})

    @property
    def queues(self) -> dict[str, str]:
        """Queue URLs by the names that people use: orders, dlq, parking, payments, …"""
        return {
            "orders": self.outputs["OrdersQueueUrl"],
            "dlq": self.outputs["DeadLetterQueueUrl"],
            "parking": self.outputs["ParkingQueueUrl"],
            "payments": self.outputs["PaymentsQueueUrl"],
            "payments-dlq": self.outputs["PaymentsDeadLetterQueueUrl"],
        }

    @asynccontextmanager
    async def services(self, **more: str) -> AsyncIterator[Services]:
        """Open the application's services on the stores of this deployment.

        Args:
            more: environment variables for `Settings`, beyond the addresses of the stores.

        """
        try:
            settings = Settings.from_mapping(
                {
                    "REDIS_URL": self.redis_url,
                    "DATABASE_URL": self.database_url,
                    "DATABASE_POOL_SIZE": str(POOL_SIZE),
                    "DATABASE_AUTH": os.environ.get("DATABASE_AUTH", "password"),
                    "ROOM_SECRET": self.room_secret or os.environ.get("ROOM_SECRET", ""),
                    **more,
                }
            )
        except ConfigError as error:
            raise Problem(str(error), "Set it to the address of your server.") from error
        services = Services(settings)
        try:
            yield services
        finally:
            await services.close()


def with_services(target: Target, use: Callable[[Services], Awaitable[T]], **more: str) -> T:
    """Run `use` with the services of a deployment, then close them.

    Args:
        more: environment variables, as `Target.services` takes them.

    """

    async def run() -> T:
        async with target.services(**more) as services:
            return await use(services)

    try:
        return asyncio.run(run())
    except DatabaseUnavailable:
        if os.environ.get("DATABASE_AUTH", "password") == "password":
            _raise_refusal(target.database_url)
        raise


def _raise_refusal(database_url: str) -> None:
    """Raise what PostgreSQL says to a new connection; the pool waits, and does not tell."""
    try:
        psycopg.connect(database_url, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        said = str(error).splitlines()[0].removeprefix("connection failed: ")
        raise DatabaseUnavailable(f"PostgreSQL: {said}") from error
