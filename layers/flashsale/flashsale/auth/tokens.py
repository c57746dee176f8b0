"""Verification of access tokens: JSON Web Tokens (RFC 7519, best practices of RFC 8725)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt

from flashsale.auth.principal import Denied, Principal
from flashsale.auth.signing_keys import SigningKeys
from flashsale.config import TrustedIssuer
from flashsale.domain.model import USER_ID

# Characters. Larger tokens are rejected unread.
MAX_TOKEN = 8192
# Seconds by which the clocks of the issuer and of this process may differ.
LEEWAY = 10
# The algorithms are fixed here. If the token chose them, "none" or a public key used as a secret
# would be accepted.
PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256"]
SECRET_ALGORITHMS = ["HS256"]

_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is from another issuer.",
    jwt.MissingRequiredClaimError: "The token lacks a claim.",
}


class Tokens:
    """Verifies tokens with the keys of one issuer."""

    def __init__(self, trust: TrustedIssuer | None) -> None:
        self._trust = trust
        self._keys = SigningKeys(trust) if trust and not trust.secret else None

    async def verify(self, token: str) -> Principal | Denied:
        """Return the principal that this token names, or why it was rejected.

        Raises:
            KeysUnavailable: the issuer's keys could not be fetched.

        """
        if self._trust is None:
            return Denied("This server accepts no tokens.")
        if len(token) > MAX_TOKEN:
            return Denied("The token is too large.")
        try:
            claims = await self._claims(self._trust, token)
        except (jwt.PyJWTError, ValueError) as error:  # ValueError: not a token at all
            return Denied(_REASONS.get(type(error), "The token is not valid."))
        if not _is_for(claims, self._trust.audience):
            return Denied("The token is for another audience.")
        if not re.fullmatch(USER_ID, claims["sub"]):
            return Denied("The token's subject is no user id.")
        return Principal(claims["sub"], _scopes(claims), _until(claims["exp"]))

    async def _claims(self, trust: TrustedIssuer, token: str) -> dict[str, Any]:
        if not is_spelled_in_one_way(token):
            raise jwt.DecodeError("not as its issuer wrote it")
        key: jwt.PyJWK | str | None = trust.secret
        algorithms = SECRET_ALGORITHMS
        if self._keys:
            key = await self._keys.get(jwt.get_unverified_header(token).get("kid"))
            algorithms = PUBLIC_KEY_ALGORITHMS
        if not key:
            raise jwt.InvalidKeyError("an unknown key")
        return jwt.decode(
            token,
            key,
            algorithms,
            # `_is_for` checks the audience.
            options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            issuer=trust.issuer,
            leeway=LEEWAY,
        )


def is_spelled_in_one_way(token: str) -> bool:
    """Return whether this is the only base64 spelling of the token.

    Decoders ignore unused bits and foreign characters. So one signed token would have many
    spellings, and a block list that has one of them would miss the others.
    """
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        return False
    decoded = [urlsafe_b64decode(f"{segment}==") for segment in token.split(".")]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in decoded) == token


def _is_for(claims: Mapping[str, Any], audience: str) -> bool:
    """Check the audience like API Gateway's authorizer: `client_id` replaces a missing `aud`."""
    named = claims.get("aud", claims.get("client_id"))
    return audience in named if isinstance(named, list) else audience == named


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Read the scopes: `scope` is one string (RFC 8693, 4.2); some issuers use a list, `scp`."""
    listed = claims.get("scope", claims.get("scp", ""))
    if isinstance(listed, str):
        return frozenset(listed.split())
    listed = listed if isinstance(listed, list) else []
    return frozenset(word for word in listed if isinstance(word, str))


def _until(expires: Any) -> float:
    """Return when a token expires, in seconds since 1970. It may say a number of any size."""
    return float(min(int(expires), 2**53))
