"""Settings of the functions: read from the environment once, and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flashsale.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function must know about its surroundings.

    Attributes:
        redis_url: redis://host:port/db, or rediss:// for TLS; redis+cluster:// (rediss+cluster://)
            where the server runs in cluster mode.
        database_url: postgresql://user:password@host:port/db.
        orders_queue_url: URL of the SQS queue `orders`; "" for functions that never push.
        database_pool_size: connections per process; one suffices where a process serves one
            request at a time, as a Lambda execution environment does.
        sweep_after: seconds; a claim that was sent this long ago and is still unsettled is sent
            again. More than an order usually takes, and than one visibility timeout.
        one_at_a_time: whether this process serves one request at a time, as a Lambda execution
            environment does.

    """

    redis_url: str
    database_url: str
    orders_queue_url: str = ""
    database_pool_size: int = 1
    sweep_after: int = 90
    one_at_a_time: bool = False

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> "Settings":
        """Parse the settings out of `env`, usually `os.environ`.

        Raises:
            ConfigError: names the variable and what it should look like.

        """
        return cls(
            redis_url=_url(env, "REDIS_URL", "redis", "rediss", "redis+cluster", "rediss+cluster"),
            database_url=_url(env, "DATABASE_URL", "postgresql", "postgres"),
            orders_queue_url=_url(env, "ORDERS_QUEUE_URL", "http", "https", required=False),
            database_pool_size=_positive(env, "DATABASE_POOL_SIZE", default=1),
            sweep_after=_positive(env, "SWEEP_AFTER", default=90),
            one_at_a_time="AWS_LAMBDA_FUNCTION_NAME" in env,  # which Lambda itself sets
        )


def _url(env: Mapping[str, str], name: str, *schemes: str, required: bool = True) -> str:
    value = env.get(name, "")
    if not value and not required:
        return ""
    if urlsplit(value).scheme not in schemes:
        got = "is not set" if not value else "has another form"  # never echo it: it holds secrets
        raise ConfigError(f"{name} {got}; it should look like {schemes[0]}://host:port/…")
    return value


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise ConfigError(f"{name} is {value!r}; it should be a whole number from 1")
    return int(value)
