"""Authentication on the local stack: its secret, and the tokens that it signs."""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import jwt

from flashsale.auth.principal import ADMIN_SCOPE
from flashsale_local.problems import Problem

ISSUER = "flashsale-local"
AUDIENCE = "flashsale"
# Variables that `flashsale up` passes on from its environment, and the template parameter of each.
LIMITS = {
    "RATE_LIMIT_USER": "RateLimitUser",
    "RATE_LIMIT_ADDRESS": "RateLimitAddress",
    "CORS_ORIGINS": "CorsOrigins",
}


def own_secret(directory: Path, name: str = "token-secret") -> str:
    """Return a secret of the stack in this folder. The first call creates it.

    Args:
        name: of its file. By default it signs tokens; "webhook-secret" signs webhooks, and
            "room-secret" tickets of waiting rooms.

    """
    path = directory / name
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def auth_of(environment: Mapping[str, str]) -> str:
    """Return "jwt" if buyers need a token, else "none".

    Raises:
        Problem: AUTH has another value.

    """
    auth = environment.get("AUTH") or "none"
    if auth not in ("none", "jwt"):
        raise Problem(f"AUTH is {auth!r}.", "It should be none or jwt.")
    return auth


def refuse_tokens(auth: str, sender: str) -> None:
    """Refuse to send buyers without tokens to a stack that requires tokens.

    Args:
        sender: what sends them, for example "a spike".

    Raises:
        Problem: the stack requires tokens.

    """
    if auth != "none":
        raise Problem(
            f"Buyers need a token here (AUTH={auth}), and those of {sender} have none.",
            "Open the stack by `AUTH=none flashsale up`, and unset AUTH.",
        )


def limits(environment: Mapping[str, str]) -> dict[str, str]:
    """Return each limit of this environment; "" for one that is not set, which clears it."""
    return {name: environment.get(name, "") for name in LIMITS}


def refuse_other_issuers(environment: Mapping[str, str]) -> None:
    """Refuse other issuers, because the local stack trusts only its own tokens.

    Raises:
        Problem: the environment names keys that the local stack would not trust.

    """
    own = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
    names = ("JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET")
    given = [name for name in names if environment.get(name) and name not in own]
    given += [name for name, value in own.items() if environment.get(name) not in (None, "", value)]
    if given:
        raise Problem(
            f"{', '.join(given)}: set, but the local stack trusts only the tokens that "
            "`flashsale token` makes.",
            "Unset it. Only `flashsale deploy --env prod` and the image use an issuer's keys.",
        )


def settings(auth: str, secret: str) -> dict[str, str]:
    """Return the access settings of the application on the local stack."""
    return {
        "AUTH": auth,
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_SECRET": secret,
    }


def mint(secret: str, user_id: str, *, admin: bool, minutes: float) -> str:
    """Return a token for this user that is valid from now on."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "iat": now,
        "exp": now + int(minutes * 60),
        **({"scope": ADMIN_SCOPE} if admin else {}),
    }
    return jwt.encode(claims, secret, "HS256")
