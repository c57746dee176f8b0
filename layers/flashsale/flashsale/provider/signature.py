"""The provider's signatures: the header Stripe-Signature, `t=<seconds>,v1=<hex>[,v1=<hex>]`."""

import hashlib
import hmac
from collections.abc import Sequence

from flashsale.errors import InvalidSignature

# Seconds between the signature and now, in both directions.
TOLERANCE = 300
# Digits of seconds since 1970. int() of a longer text could take long.
_LONGEST_TIME = 12


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the header that signs a body.

    Args:
        at: seconds since 1970.

    """
    return f"t={at},v1={_mac(body, secret, str(at))}"


def verify(header: str, body: bytes, secrets: Sequence[str], now: float) -> None:
    """Accept a header that was made with one of the secrets, and not long ago.

    Args:
        body: the bytes that arrived, before anything parses them.
        secrets: more than one while a secret is being replaced. Without any, nothing is accepted.
        now: seconds since 1970.

    Raises:
        InvalidSignature: the header is missing or malformed, none of the secrets made it, or it is
            more than `TOLERANCE` seconds from now, before or after.

    """
    at, given = _parse(header)
    # Of bytes, because the comparison takes only ASCII of texts.
    candidates = [candidate.encode(errors="surrogatepass") for candidate in given]
    expected = [_mac(body, secret, at).encode() for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in expected for other in candidates):
        raise InvalidSignature("wrong")
    if int(at) < now - TOLERANCE:
        raise InvalidSignature("too_old")
    if int(at) > now + TOLERANCE:
        raise InvalidSignature("in_the_future")


def _parse(header: str) -> tuple[str, list[str]]:
    if not header:
        raise InvalidSignature("missing")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]  # other schemes are test values
    if len(times) != 1 or not given:
        raise InvalidSignature("malformed")
    (at,) = times
    if not (at.isascii() and at.isdecimal() and len(at) <= _LONGEST_TIME):
        raise InvalidSignature("malformed")
    return at, given


def _mac(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
