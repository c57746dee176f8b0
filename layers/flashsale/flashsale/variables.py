"""Reads environment variables.

Each function raises ConfigError if the variable is missing or malformed. The text names it and its
form.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from flashsale.errors import ConfigError

# Bytes. RFC 7518, 3.2: a key as long as the hash, or longer.
MIN_SECRET = 32
# The one in use, and the other one while it is being replaced.
MOST_SECRETS = 2


def url(env: Mapping[str, str], name: str, *schemes: str, required: bool = True) -> str:
    """Return a URL of one of these schemes; "" if it is not set and not required."""
    value = env.get(name, "")
    if not value and not required:
        return ""
    if not _is_url(value, schemes):
        # Never quote the value, and let no driver quote it: it holds secrets.
        got = "is not set" if not value else "is malformed (escape / # ? in a password)"
        raise ConfigError(f"{name} {got}; it should look like {schemes[0]}://host:port/…")
    return value


def encrypted_url(env: Mapping[str, str], name: str) -> str:
    """Return an https URL, or an http URL of this machine; "" if it is not set."""
    address = url(env, name, "https", "http", required=False)
    if address.startswith("http:") and urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
        raise ConfigError(f"{name} is not encrypted; it should look like https://…")
    return address


def _is_url(value: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(value)
        # `port` raises ValueError if it is not a number.
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def one_of(env: Mapping[str, str], name: str, *choices: str) -> str:
    """Return one of these choices, by default the first."""
    value = env.get(name, choices[0])
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; it should be one of {', '.join(choices)}")
    return value


def whole(env: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    """Return a whole number that is not smaller than `least`."""
    value = env.get(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ConfigError(f"{name} is {value!r}; it should be a whole number from {least}")
    return int(value)


def secrets(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the one or two secrets of a comma-separated list; () if it is not set."""
    listed = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    if len(listed) > MOST_SECRETS:
        raise ConfigError(f"{name} has {len(listed)} secrets; it should have one or two")
    if any(len(secret.encode()) < MIN_SECRET for secret in listed):
        raise ConfigError(
            f"{name} has a secret that is too short; it should have {MIN_SECRET} bytes or more"
        )
    return listed
