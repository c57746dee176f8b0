"""The settings of the functions. They are read from the environment once, and nowhere else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flashsale.errors import ConfigError
from flashsale.variables import MIN_SECRET, encrypted_url, one_of, secrets, url, whole

_KEYS = "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET"
_NAMES = "JWT_ISSUER", "JWT_AUDIENCE"


class Rate(NamedTuple):
    """A rate limit: a bucket of `requests` tokens that is refilled within `seconds`."""

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """The issuer whose tokens are accepted. One of `jwks_url`, `jwks` and `secret` is set.

    Attributes:
        issuer, audience: what a token must have in `iss` and in `aud`.
        jwks_url: URL of the issuer's public keys (a JWK Set, RFC 7517).
        jwks: the JWK Set itself, for a process that cannot reach the issuer.
        secret: the secret of HS256, for local use. Any process that can check such tokens can
            also make them.

    """

    issuer: str
    audience: str
    jwks_url: str = ""
    jwks: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """The payment provider: the base URL of its API, and the secret key of the account."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process must know about its environment.

    Attributes:
        redis_url: redis://host:port/db, or rediss:// for TLS; redis+cluster:// (rediss+cluster://)
            where the server runs in cluster mode. `?ssl_ca_certs=FILE` names a private CA.
        database_url: postgresql://user:password@host:port/db. Add libpq's `?sslmode=verify-full`
            and `&sslrootcert=FILE` for TLS that checks the server's certificate.
        database_iam: whether PostgreSQL is on RDS and takes an IAM token instead of a password.
        orders_queue_url: URL of the SQS queue `orders`; "" for functions that send no messages.
        dead_letter_queue_url, parking_queue_url: URLs of the queues in which failed orders wait; ""
            for functions that do not count their messages.
        payments_queue_url, payments_dead_letter_queue_url: the same of the queue `payments`; ""
            for processes that do not count its messages, or that take no payments.
        database_pool_size: connections per process. One is enough for a process that serves one
            request at a time, such as a Lambda execution environment.
        sweep_after: seconds after the last send at which an unsettled claim is sent again. It
            must be longer than an order usually takes, and than one visibility timeout.
        one_at_a_time: whether this process serves one request at a time, such as a Lambda
            execution environment.
        auth: "jwt": buyers need a token, and V1 to V4 are closed. "none": buyers need no token,
            for a local stack.
        trusted_issuer: the issuer whose tokens are accepted; None rejects all tokens.
        rate_limits: the rates at which claims of one product are accepted, by what they are
            counted for ("user", "address").
        tracing: whether X-Ray traces the calls of this process.
        sold_out_for: milliseconds for which a process answers "sold out" by itself after Redis said
            so; 0 to ask Redis each time. Units that return are claimed later by that at most.
        hold_grace: seconds after the end of a payment hold in which it does not expire yet, because
            the message of a payment may be on its way.
        provider: where buyers pay; None for no provider that this application can call.
        room_secrets: they sign the tickets and admissions of waiting rooms. The first one signs,
            and both are accepted. Without any, no sale opens with a room.

    """

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    orders_queue_url: str = ""
    dead_letter_queue_url: str = ""
    parking_queue_url: str = ""
    payments_queue_url: str = ""
    payments_dead_letter_queue_url: str = ""
    database_pool_size: int = 1
    sweep_after: int = 90
    one_at_a_time: bool = False
    auth: str = "none"
    trusted_issuer: TrustedIssuer | None = None
    rate_limits: Mapping[str, Rate] = field(default_factory=dict)
    database_iam: bool = False
    tracing: bool = False
    sold_out_for: int = 200
    hold_grace: int = 60
    provider: Provider | None = None
    room_secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> "Settings":
        """Parse the settings from `env`, usually `os.environ`.

        Raises:
            ConfigError: a variable is missing or malformed. The text names it and its form.

        """
        auth, trust = _auth(env)
        return cls(
            redis_url=url(env, "REDIS_URL", "redis", "rediss", "redis+cluster", "rediss+cluster"),
            database_url=url(env, "DATABASE_URL", "postgresql", "postgres"),
            orders_queue_url=_queue(env, "ORDERS_QUEUE_URL"),
            dead_letter_queue_url=_queue(env, "DEAD_LETTER_QUEUE_URL"),
            parking_queue_url=_queue(env, "PARKING_QUEUE_URL"),
            payments_queue_url=_queue(env, "PAYMENTS_QUEUE_URL"),
            payments_dead_letter_queue_url=_queue(env, "PAYMENTS_DEAD_LETTER_QUEUE_URL"),
            database_pool_size=whole(env, "DATABASE_POOL_SIZE", default=1),
            sweep_after=whole(env, "SWEEP_AFTER", default=90),
            database_iam=one_of(env, "DATABASE_AUTH", "password", "iam") == "iam",
            one_at_a_time="AWS_LAMBDA_FUNCTION_NAME" in env,  # which Lambda itself sets
            auth=auth,
            trusted_issuer=trust,
            rate_limits=_rate_limits(env, user="RATE_LIMIT_USER", address="RATE_LIMIT_ADDRESS"),
            tracing=tracing_is_on(env),
            sold_out_for=whole(env, "SOLD_OUT_FOR", default=200, least=0),
            hold_grace=whole(env, "HOLD_GRACE", default=60, least=0),
            provider=_provider(env),
            room_secrets=secrets(env, "ROOM_SECRET"),
        )


def _queue(env: Mapping[str, str], name: str) -> str:
    return url(env, name, "http", "https", required=False)


def tracing_is_on(env: Mapping[str, str]) -> bool:
    """Return whether the template switched X-Ray on."""
    return env.get("POWERTOOLS_TRACE_DISABLED", "true") != "true"


def origins(env: Mapping[str, str]) -> list[str]:
    """Return the web origins whose pages may read responses (CORS_ORIGINS, comma-separated).

    They are no part of `Settings`, because the application is built before it needs the others.

    Raises:
        ConfigError: an entry is not an origin. `*` is rejected, because it allows every page.

    """
    listed = [part.strip() for part in env.get("CORS_ORIGINS", "").split(",") if part.strip()]
    for origin in listed:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise ConfigError(
                f"CORS_ORIGINS has {origin!r}; it should look like https://shop.example"
            )
    return listed


def _auth(env: Mapping[str, str]) -> tuple[str, TrustedIssuer | None]:
    auth = env.get("AUTH") or "none"
    if auth not in ("none", "jwt"):
        raise ConfigError(f"AUTH is {auth!r}; it should be none or jwt")
    keys = [name for name in _KEYS if env.get(name)]
    if len(keys) > 1:
        raise ConfigError(f"{' and '.join(keys)} are set; set one of them only")
    if not keys:
        if auth == "jwt":
            raise ConfigError(
                "AUTH is jwt and no key is set; set JWT_JWKS_URL or JWT_JWKS (locally JWT_SECRET)"
            )
        _require_auth(env, _NAMES)
        return auth, None
    missing = [name for name in _NAMES if not env.get(name)]
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)} not set; set the issuer and the audience of accepted tokens"
        )
    secret = env.get("JWT_SECRET", "")
    if secret and len(secret.encode()) < MIN_SECRET:
        raise ConfigError(f"JWT_SECRET is too short; it should have {MIN_SECRET} bytes or more")
    trust = TrustedIssuer(
        issuer=env["JWT_ISSUER"],
        audience=env["JWT_AUDIENCE"],
        # An attacker who can change the keys in transit could sign tokens of their own.
        jwks_url=encrypted_url(env, "JWT_JWKS_URL"),
        jwks=env.get("JWT_JWKS", ""),
        secret=secret,
    )
    _require_auth(env, keys)
    return auth, trust


def _require_auth(env: Mapping[str, str], names: Sequence[str]) -> None:
    """Reject an issuer without AUTH: the operator expects tokens, and no buyer would need one."""
    named = [name for name in names if env.get(name)]
    if named and not env.get("AUTH"):
        raise ConfigError(
            f"{named[0]} is set and AUTH is not; it should be jwt, or none if buyers need no token"
        )


def _provider(env: Mapping[str, str]) -> Provider | None:
    address, key = encrypted_url(env, "PROVIDER_URL"), env.get("PROVIDER_KEY", "")
    if bool(address) != bool(key):
        raise ConfigError("PROVIDER_URL and PROVIDER_KEY belong together; set both or none")
    if not re.fullmatch(r"[!-~]*", key):  # it becomes a header
        raise ConfigError("PROVIDER_KEY is malformed; it should have no spaces")
    return Provider(address, key) if address else None


def _rate_limits(env: Mapping[str, str], **names: str) -> dict[str, Rate]:
    limits = {}
    for by, name in names.items():
        if value := env.get(name):
            if not re.fullmatch(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,4}", value):
                raise ConfigError(f"{name} is {value!r}; it should look like 10/60: 10 a minute")
            requests, seconds = value.split("/")
            limits[by] = Rate(int(requests), int(seconds))
    return limits
