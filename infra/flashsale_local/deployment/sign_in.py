"""Who may do what on the local stack: its own secret, and tokens that are signed with it."""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import jwt

from flashsale.auth.principal import ADMIN_SCOPE
from flashsale_local.problems import Problem

ISSUER = "flashsale-local"
AUDIENCE = "flashsale"
# What `flashsale up` passes on from its environment, and the template's parameter for it.
LIMITS = {
    "RATE_LIMIT_USER": "RateLimitUser",
    "RATE_LIMIT_ADDRESS": "RateLimitAddress",
    "CORS_ORIGINS": "CorsOrigins",
}


def own_secret(directory: Path) -> str:
    """The secret of the stack in this folder, made when it is first asked for."""
    path = directory / "token-secret"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def auth_of(environment: Mapping[str, str]) -> str:
    """Whether buyers need a token: AUTH=jwt, or none.

    Raises:
        Problem: AUTH is something else.

    """
    auth = environment.get("AUTH") or "none"
    if auth not in ("none", "jwt"):
        raise Problem(f"AUTH is {auth!r}.", "It should be none or jwt.")
    return auth


def refuse_tokens(auth: str, who: str) -> None:
    """For what sends buyers without tokens.

    Raises:
        Problem: buyers need one here.

    """
    if auth != "none":
        raise Problem(
            f"Buyers need a token here (AUTH={auth}), and those of {who} carry none.",
            "Open the stack by `AUTH=none flashsale up`, and unset AUTH.",
        )


def limits(environment: Mapping[str, str]) -> dict[str, str]:
    """The limits that this environment names; "" for each other one, so that it ends."""
    return {name: environment.get(name, "") for name in LIMITS}


def refuse_other_issuers(environment: Mapping[str, str]) -> None:
    """The local stack believes its own tokens only.

    Raises:
        Problem: the environment names other keys, which no door would believe.

    """
    own = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
    names = ("JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET")
    given = [name for name in names if environment.get(name) and name not in own]
    given += [name for name, value in own.items() if environment.get(name) not in (None, "", value)]
    if given:
        raise Problem(
            f"{', '.join(given)}: set, and the local stack believes only the tokens that "
            "`flashsale token` makes.",
            "Unset it here; `flashsale deploy --env prod` and the image take the issuer's keys.",
        )


def settings(auth: str, secret: str) -> dict[str, str]:
    """Environment variables of the application on the local stack."""
    return {
        "AUTH": auth,
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_SECRET": secret,
    }


def mint(secret: str, user_id: str, *, admin: bool, minutes: float) -> str:
    """A token for this user, valid from now on."""
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
