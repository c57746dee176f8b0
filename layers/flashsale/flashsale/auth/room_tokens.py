"""Tickets and admissions of waiting rooms: JSON Web Tokens that this shop signs for itself.

A ticket holds a user's place, and an admission says that they are inside. Neither replaces an
access token: the caller compares its user with the one of the request. What follows RFC 8725: the
algorithm is fixed, and each kind has its own type, so no kind passes as another.
"""

import math
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import jwt

from flashsale.auth.tokens import MAX_TOKEN, SECRET_ALGORITHMS, is_spelled_in_one_way
from flashsale.domain.model import USER_ID
from flashsale.domain.rooms import AdmissionCheck

TICKET = "place+jwt"
ADMISSION = "admission+jwt"
# Seconds by which the clocks of Redis, which sets the end of an admission, and of this process may
# differ. The claim's own script is exact.
LEEWAY = 2


@dataclass(frozen=True, slots=True)
class Ticket:
    """The place of a user in the room of a product: their arrival number in this epoch."""

    user_id: str
    product_id: str
    epoch: int
    number: int


class RoomTokens:
    """Signs tokens with the first secret, and accepts those that any of the secrets signed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def ticket(self, user_id: str, product_id: str, epoch: int, number: int) -> str:
        """Return a ticket. It has no end: the next epoch makes it worthless."""
        return self._sign(TICKET, sub=user_id, aud=product_id, epoch=epoch, i=number)

    def read_ticket(self, token: str, product_id: str) -> Ticket | None:
        """Return what a ticket for this product says, of any epoch; None if it is no such ticket.

        No clock is read, so a ticket is never too old.
        """
        claims = self._read(TICKET, token, product_id)
        if claims is None or not _is_count(claims.get("i")):
            return None
        return Ticket(claims["sub"], product_id, claims["epoch"], claims["i"])

    def admission(self, user_id: str, product_id: str, epoch: int, until_ms: int) -> str:
        """Return an admission that ends at `until_ms`, rounded up to a whole second."""
        exp = math.ceil(until_ms / 1000)
        return self._sign(ADMISSION, sub=user_id, aud=product_id, epoch=epoch, exp=exp)

    def check_admission(
        self, token: str, user_id: str, product_id: str, epoch: int
    ) -> AdmissionCheck:
        """Return whether this is an admission of this user to this room, as far as one can tell.

        It may have been used. Only the claim's script knows who is inside.
        """
        claims = self._read(ADMISSION, token, product_id)
        if claims is None or not _is_count(claims.get("exp")):
            return AdmissionCheck.REQUIRED
        if (claims["sub"], claims["epoch"]) != (user_id, epoch):
            return AdmissionCheck.REQUIRED
        is_over = claims["exp"] + LEEWAY <= time.time()
        return AdmissionCheck.OVER if is_over else AdmissionCheck.VALID

    def _sign(self, kind: str, **claims: str | int) -> str:
        (algorithm,) = SECRET_ALGORITHMS
        return jwt.encode(claims, self._secrets[0], algorithm, headers={"typ": kind})

    def _read(self, kind: str, token: str, product_id: str) -> dict[str, Any] | None:
        """Return the claims of a token of this kind for this product; None for anything else."""
        try:
            if len(token) > MAX_TOKEN or not is_spelled_in_one_way(token):
                return None
            read = self._verified(token, product_id)
        except (jwt.PyJWTError, ValueError):  # ValueError: not a token at all
            return None
        claims: dict[str, Any] = read["payload"]
        # Nobody but this shop signs. These two checks are for the day on which somebody else can:
        # no script of ours is to meet a user id or a number of another form.
        is_ours = re.fullmatch(USER_ID, claims["sub"]) and _is_count(claims.get("epoch"))
        return claims if is_ours and read["header"].get("typ") == kind else None

    def _verified(self, token: str, product_id: str) -> dict[str, Any]:
        """Return the parts of a token that one of the secrets signed.

        Raises:
            PyJWTError: none did, or it is for another product.

        """
        for secret in self._secrets:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode_complete(
                    token,
                    secret,
                    SECRET_ALGORITHMS,
                    # `check_admission` compares the end itself, after everything else.
                    options={"require": ["sub"], "verify_exp": False, "strict_aud": True},
                    audience=product_id,
                )
        raise jwt.InvalidSignatureError("signed by none of the secrets")


def _is_count(value: object) -> bool:
    """Return whether a claim is a whole number that Lua and JavaScript represent exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
