"""Settings of the functions: read from the environment once, and nowhere else."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from flashsale.errors import ConfigError

# RFC 7518, 3.2: a key as long as the hash, or longer.
MIN_SECRET = 32
_KEYS = "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET"
_NAMES = "JWT_ISSUER", "JWT_AUDIENCE"


class Rate(NamedTuple):
    """Requests in a time: a bucket that holds `requests` and is refilled within `seconds`."""

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Whose tokens are believed. One of `jwks_url`, `jwks` and `secret` is set.

    Attributes:
        issuer, audience: what a token must say in `iss`, and in `aud`.
        jwks_url: where the issuer publishes its public keys (RFC 7517).
        jwks: the same document itself, for who cannot reach the issuer.
        secret: of HS256, for local use: who can check such tokens can also make them.

    """

    issuer: str
    audience: str
    jwks_url: str = ""
    jwks: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a function must know about its surroundings.

    Attributes:
        redis_url: redis://host:port/db, or rediss:// for TLS; redis+cluster:// (rediss+cluster://)
            where the server runs in cluster mode. `?ssl_ca_certs=FILE` names a CA of one's own.
        database_url: postgresql://user:password@host:port/db; libpq's `?sslmode=verify-full` and
            `&sslrootcert=FILE` for TLS that is worth it.
        database_iam: whether PostgreSQL is RDS, and an IAM token takes the place of a password.
        orders_queue_url: URL of the SQS queue `orders`; "" for functions that never push.
        dead_letter_queue_url, parking_queue_url: URLs of the queues in which failed orders wait; ""
            for functions that do not count them.
        database_pool_size: connections per process; one suffices where a process serves one
            request at a time, as a Lambda execution environment does.
        sweep_after: seconds; a claim that was sent this long ago and is still unsettled is sent
            again. More than an order usually takes, and than one visibility timeout.
        one_at_a_time: whether this process serves one request at a time, as a Lambda execution
            environment does.
        auth: "jwt": buyers need a token, and V1 to V4 are closed; "none": for a local stack.
        trusted_issuer: the issuer whose tokens are accepted; None rejects all tokens.
        rate_limits: the rates at which claims of one product are accepted, by what they are
            counted for ("user", "address").

    """

    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    orders_queue_url: str = ""
    dead_letter_queue_url: str = ""
    parking_queue_url: str = ""
    database_pool_size: int = 1
    sweep_after: int = 90
    one_at_a_time: bool = False
    auth: str = "none"
    trusted_issuer: TrustedIssuer | None = None
    rate_limits: Mapping[str, Rate] = field(default_factory=dict)
    database_iam: bool = False

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> "Settings":
        """Parse the settings out of `env`, usually `os.environ`.

        Raises:
            ConfigError: names the variable and what it should look like.

        """
        auth, trust = _auth(env)
        return cls(
            redis_url=_url(env, "REDIS_URL", "redis", "rediss", "redis+cluster", "rediss+cluster"),
            database_url=_url(env, "DATABASE_URL", "postgresql", "postgres"),
            orders_queue_url=_url(env, "ORDERS_QUEUE_URL", "http", "https", required=False),
            dead_letter_queue_url=_url(
                env, "DEAD_LETTER_QUEUE_URL", "http", "https", required=False
            ),
            parking_queue_url=_url(env, "PARKING_QUEUE_URL", "http", "https", required=False),
            database_pool_size=_positive(env, "DATABASE_POOL_SIZE", default=1),
            sweep_after=_positive(env, "SWEEP_AFTER", default=90),
            database_iam=_one_of(env, "DATABASE_AUTH", "password", "iam") == "iam",
            one_at_a_time="AWS_LAMBDA_FUNCTION_NAME" in env,  # which Lambda itself sets
            auth=auth,
            trusted_issuer=trust,
            rate_limits=_rate_limits(env, user="RATE_LIMIT_USER", address="RATE_LIMIT_ADDRESS"),
        )


def origins(env: Mapping[str, str]) -> list[str]:
    """The web origins whose pages may read answers (CORS_ORIGINS, separated by commas).

    Read apart, because the application is put together before it needs any other setting.

    Raises:
        ConfigError: one of them is no origin; `*` is none: it would be anybody's page.

    """
    listed = [part.strip() for part in env.get("CORS_ORIGINS", "").split(",") if part.strip()]
    for origin in listed:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise ConfigError(
                f"CORS_ORIGINS has {origin!r}; it should look like https://shop.example"
            )
    return listed


def _url(env: Mapping[str, str], name: str, *schemes: str, required: bool = True) -> str:
    value = env.get(name, "")
    if not value and not required:
        return ""
    if not _is_url(value, schemes):
        # Never echo it: it holds secrets. Nor let a driver do so.
        got = "is not set" if not value else "has another form (is / # ? in a password escaped?)"
        raise ConfigError(f"{name} {got}; it should look like {schemes[0]}://host:port/…")
    return value


def _is_url(value: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(value)
        # To ask for a port that is no number raises.
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _one_of(env: Mapping[str, str], name: str, *choices: str) -> str:
    value = env.get(name, choices[0])
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; it should be one of {', '.join(choices)}")
    return value


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise ConfigError(f"{name} is {value!r}; it should be a whole number from 1")
    return int(value)


def _auth(env: Mapping[str, str]) -> tuple[str, TrustedIssuer | None]:
    auth = env.get("AUTH") or "none"
    if auth not in ("none", "jwt"):
        raise ConfigError(f"AUTH is {auth!r}; it should be none or jwt")
    keys = [name for name in _KEYS if env.get(name)]
    if len(keys) > 1:
        raise ConfigError(f"{' and '.join(keys)} are set; one kind of key is believed, not two")
    if not keys:
        if auth == "jwt":
            raise ConfigError("AUTH is jwt, so set JWT_JWKS_URL (or JWT_JWKS; JWT_SECRET locally)")
        _refuse_silence(env, _NAMES)
        return auth, None
    missing = [name for name in _NAMES if not env.get(name)]
    if missing:
        raise ConfigError(f"{' and '.join(missing)} not set: whose tokens, and for whom?")
    secret = env.get("JWT_SECRET", "")
    if secret and len(secret.encode()) < MIN_SECRET:
        raise ConfigError(f"JWT_SECRET is short; it should have {MIN_SECRET} bytes or more")
    trust = TrustedIssuer(
        issuer=env["JWT_ISSUER"],
        audience=env["JWT_AUDIENCE"],
        jwks_url=_jwks_url(env),
        jwks=env.get("JWT_JWKS", ""),
        secret=secret,
    )
    _refuse_silence(env, keys)
    return auth, trust


def _refuse_silence(env: Mapping[str, str], names: Sequence[str]) -> None:
    """Whoever names an issuer wants tokens: without AUTH=jwt no buyer would be asked for one."""
    said = [name for name in names if env.get(name)]
    if said and not env.get("AUTH"):
        raise ConfigError(
            f"{said[0]} is set and AUTH is not; it should be jwt, or none if buyers need no token"
        )


def _jwks_url(env: Mapping[str, str]) -> str:
    url = _url(env, "JWT_JWKS_URL", "https", "http", required=False)
    # Who can change the keys on their way is let in by his own.
    if url.startswith("http:") and urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        raise ConfigError("JWT_JWKS_URL is not encrypted; it should look like https://…")
    return url


def _rate_limits(env: Mapping[str, str], **names: str) -> dict[str, Rate]:
    limits = {}
    for by, name in names.items():
        if value := env.get(name):
            if not re.fullmatch(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,4}", value):
                raise ConfigError(f"{name} is {value!r}; it should look like 10/60: 10 a minute")
            requests, seconds = value.split("/")
            limits[by] = Rate(int(requests), int(seconds))
    return limits
