"""Settings of the exporter: parsed out of the environment once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flashsale.config import Settings
from flashsale.domain.waiting import PARKING
from flashsale.errors import ConfigError
from flashsale_server.log_events import log_group_of

PORT = 9464
# Connections to PostgreSQL: one for the store's metrics, one for the books, one for the check.
POOL_SIZE = 3
# Functions whose log lines are counted.
FUNCTIONS = ("buy", "order", "rollback", "sweep", "payment", "webhook")
EMULATORS = ("ministack", "localstack")

# The exporter checks no tokens and limits no rates, so it reads no other variables of `Settings`.
_QUEUES = ("ORDERS_QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "PARKING_QUEUE_URL")
# The queues are not set where the deployment takes no payments.
_OF_HOLDS = ("HOLD_GRACE", "PAYMENTS_QUEUE_URL", "PAYMENTS_DEAD_LETTER_QUEUE_URL")
_OF_STORES = ("REDIS_URL", "DATABASE_URL", "DATABASE_AUTH", *_QUEUES, *_OF_HOLDS)
_QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/flashsale-orders"


@dataclass(frozen=True, slots=True)
class ExporterSettings:
    """What the exporter must know about the deployment that it watches.

    Attributes:
        application: addresses of the stores and the queues.
        stack_name: of the CloudFormation stack; the names of its functions begin with it.
        endpoint_url: address of the emulator that stands in for AWS; "" on AWS.
        emulator: which emulator answers there: ministack or localstack.
        host: the address on which it serves /metrics.
        port: the port on which it serves /metrics.

    """

    application: Settings
    stack_name: str = "flashsale"
    endpoint_url: str = ""
    emulator: str = EMULATORS[0]
    host: str = "127.0.0.1"
    port: int = PORT

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> "ExporterSettings":
        """Parse the settings out of `env`, usually `os.environ`.

        Raises:
            ConfigError: names the variable and what it should look like.

        """
        stores = {name: env[name] for name in _OF_STORES if name in env}
        application = Settings.from_mapping({**stores, "DATABASE_POOL_SIZE": str(POOL_SIZE)})
        for name in _QUEUES:
            if not env.get(name):
                raise ConfigError(f"{name} is not set; it should look like {_QUEUE_URL}")
        return cls(
            application=application,
            stack_name=_stack_name(env),
            endpoint_url=_endpoint_url(env),
            emulator=_emulator(env),
            host=env.get("FLASHSALE_METRICS_HOST") or "127.0.0.1",
            port=_port(env),
        )

    @property
    def queues(self) -> dict[str, str]:
        """Queue URLs by name: orders, dlq, parking; payments and payments-dlq if they are known."""
        of_payments = {
            "payments": self.application.payments_queue_url,
            "payments-dlq": self.application.payments_dead_letter_queue_url,
        }
        return {
            "orders": self.application.orders_queue_url,
            "dlq": self.application.dead_letter_queue_url,
            PARKING: self.application.parking_queue_url,
            **{name: url for name, url in of_payments.items() if url},
        }

    @property
    def log_groups(self) -> dict[str, str]:
        """Log groups in CloudWatch Logs by function."""
        return {name: log_group_of(self.stack_name, name) for name in FUNCTIONS}


def _stack_name(env: Mapping[str, str]) -> str:
    name = env.get("FLASHSALE_STACK") or "flashsale"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise ConfigError(
            f"FLASHSALE_STACK is {name!r}; "
            "it should be the name of a CloudFormation stack, such as flashsale"
        )
    return name


def _endpoint_url(env: Mapping[str, str]) -> str:
    url = env.get("AWS_ENDPOINT_URL", "")
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError("AWS_ENDPOINT_URL has another form; it should look like http://host:4566")
    return url


def _emulator(env: Mapping[str, str]) -> str:
    name = env.get("EMULATOR") or EMULATORS[0]
    if name not in (*EMULATORS, "aws"):
        raise ConfigError(f"EMULATOR is {name!r}; it should be {', '.join(EMULATORS)} or aws")
    return name


def _port(env: Mapping[str, str]) -> int:
    value = env.get("FLASHSALE_EXPORTER_PORT") or str(PORT)
    if not (value.isascii() and value.isdecimal() and 0 < int(value) < 65536):
        raise ConfigError(
            f"FLASHSALE_EXPORTER_PORT is {value!r}; it should be a port number, such as {PORT}"
        )
    return int(value)
