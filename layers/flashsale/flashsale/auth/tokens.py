"""Who a caller is: JSON Web Tokens (RFC 7519, with the advice of RFC 8725)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt

from flashsale.auth.principal import Denied, Principal
from flashsale.auth.signing_keys import SigningKeys
from flashsale.config import Trust
from flashsale.domain.model import USER_ID

# Characters. Larger ones are refused unread.
MAX_TOKEN = 8192
# Seconds by which the issuer's clock may differ from ours.
LEEWAY = 10
# The algorithm is ours to choose and not the token's, else "none" or a public key used as a secret
# would let anybody in.
PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256"]
SECRET_ALGORITHMS = ["HS256"]

_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is from another issuer.",
    jwt.MissingRequiredClaimError: "The token lacks a claim.",
}


class Tokens:
    """Checks tokens by the keys of one issuer."""

    def __init__(self, trust: Trust | None) -> None:
        self._trust = trust
        self._keys = SigningKeys(trust) if trust and not trust.secret else None

    async def caller(self, token: str) -> Principal | Denied:
        """Who bears this token.

        Raises:
            KeysUnavailable: the issuer's keys could not be fetched.

        """
        if self._trust is None:
            return Denied("No tokens are believed here.")
        if len(token) > MAX_TOKEN:
            return Denied("The token is too large.")
        try:
            claims = await self._claims(self._trust, token)
        except (jwt.PyJWTError, ValueError) as error:  # ValueError: what is no token at all
            return Denied(_REASONS.get(type(error), "The token is not valid."))
        if not _is_for(claims, self._trust.audience):
            return Denied("The token is for another audience.")
        if not re.fullmatch(USER_ID, claims["sub"]):
            return Denied("The token's subject is no user id.")
        return Principal(claims["sub"], _scopes(claims))

    async def _claims(self, trust: Trust, token: str) -> dict[str, Any]:
        if not _is_spelled_in_one_way(token):
            raise jwt.DecodeError("not as its issuer wrote it")
        key: jwt.PyJWK | str | None = trust.secret
        algorithms = SECRET_ALGORITHMS
        if self._keys:
            key = await self._keys.find(jwt.get_unverified_header(token).get("kid"))
            algorithms = PUBLIC_KEY_ALGORITHMS
        if not key:
            raise jwt.InvalidKeyError("an unknown key")
        return jwt.decode(
            token,
            key,
            algorithms,
            # Of the audience see `_is_for`.
            options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            issuer=trust.issuer,
            leeway=LEEWAY,
        )


def _is_spelled_in_one_way(token: str) -> bool:
    """Base64 readers forgive: with other last bits, or other characters put in, it says the same.

    Of one signed token there would be many, and who blocks one of them has not blocked the others.
    """
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        return False
    read = [urlsafe_b64decode(f"{segment}==") for segment in token.split(".")]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in read) == token


def _is_for(claims: Mapping[str, Any], audience: str) -> bool:
    """As API Gateway's JWT authorizer has it: `client_id` counts where there is no `aud`."""
    named = claims.get("aud", claims.get("client_id"))
    return audience in named if isinstance(named, list) else audience == named


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """`scope` is one string (RFC 8693, 4.2); some issuers write a list, `scp`."""
    listed = claims.get("scope", claims.get("scp", ""))
    if isinstance(listed, str):
        return frozenset(listed.split())
    listed = listed if isinstance(listed, list) else []
    return frozenset(word for word in listed if isinstance(word, str))
