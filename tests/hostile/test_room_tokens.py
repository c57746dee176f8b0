"""Nearly valid tickets and admissions: every change of a valid one is worth nothing."""

import base64
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flashsale.auth.principal import Denied, Principal
from flashsale.auth.room_tokens import RoomTokens
from flashsale.auth.tokens import MAX_TOKEN, Tokens
from flashsale.config import TrustedIssuer
from flashsale.domain.rooms import AdmissionCheck

SECRET = "an-hmac-secret-of-at-least-thirty-two-bytes"
KEY = SECRET.encode()
USER, PRODUCT, EPOCH, NUMBER = "u-00001", "p-hostile", 2, 77
END = int(time.time()) + 3600
TOKENS = RoomTokens([SECRET])
TICKET = TOKENS.ticket(USER, PRODUCT, EPOCH, NUMBER)
ADMISSION = TOKENS.admission(USER, PRODUCT, EPOCH, END * 1000)
RSA = rsa.generate_private_key(65537, 2048)
OF_TICKET = {"sub": USER, "aud": PRODUCT, "epoch": EPOCH, "i": NUMBER}
OF_ADMISSION = {"sub": USER, "aud": PRODUCT, "epoch": EPOCH, "exp": END}
KINDS = {"place+jwt": OF_TICKET, "admission+jwt": OF_ADMISSION}


def is_worthless(token):
    """Check that this is neither a ticket nor an admission, for any reader."""
    assert TOKENS.read_ticket(token, PRODUCT) is None, token
    checked = TOKENS.check_admission(token, USER, PRODUCT, EPOCH)
    assert checked is AdmissionCheck.REQUIRED, token


def encoded(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, claims, key=KEY, hashed="sha256"):
    """Sign what PyJWT would refuse to write."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), hashed))}"


def header(typ, algorithm="HS256"):
    return {"alg": algorithm, "typ": typ}


def test_the_valid_ones_are_valid():
    assert TOKENS.read_ticket(TICKET, PRODUCT).number == NUMBER
    assert TOKENS.check_admission(ADMISSION, USER, PRODUCT, EPOCH) is AdmissionCheck.VALID
    for typ, claims in KINDS.items():
        assert signed(header(typ), claims), "these tests sign as the shop does"
    assert TOKENS.read_ticket(signed(header("place+jwt"), OF_TICKET), PRODUCT).number == NUMBER


@pytest.mark.parametrize("token", [TICKET, ADMISSION], ids=KINDS)
def test_one_with_any_bit_changed_is_worthless(token):
    for at in range(len(token)):
        for bit in range(8):
            flipped = chr(ord(token[at]) ^ 1 << bit)
            is_worthless(token[:at] + flipped + token[at + 1 :])


@pytest.mark.parametrize("token", [TICKET, ADMISSION], ids=KINDS)
def test_one_with_any_bit_of_its_bytes_changed_is_worthless(token):
    segments = [base64.urlsafe_b64decode(f"{part}==") for part in token.split(".")]
    for which, segment in enumerate(segments):
        for bit in range(8 * len(segment)):
            changed = bytearray(segment)
            changed[bit // 8] ^= 1 << bit % 8
            parts = [*segments[:which], bytes(changed), *segments[which + 1 :]]
            is_worthless(".".join(encoded(part) for part in parts))


@pytest.mark.parametrize("token", [TICKET, ADMISSION], ids=KINDS)
def test_one_has_one_spelling(token):
    """The last character has two bits that a decoder ignores."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in set(alphabet) - {token[-1]}:
        is_worthless(token[:-1] + last)
    for more in ("=", "==", "\n", ".", "*"):
        is_worthless(token + more)
        is_worthless(more + token)
        is_worthless(f"{token[:-9]}{more}{token[-9:]}")


@pytest.mark.parametrize(
    "typ", [None, "", "JWT", "jwt", "PLACE+JWT", "application/place+jwt", "place", 7, ["place+jwt"]]
)
@pytest.mark.parametrize("claims", KINDS.values(), ids=KINDS)
def test_another_type_is_worthless(typ, claims):
    made = header(typ) if typ is not None else {"alg": "HS256"}

    is_worthless(signed(made, claims))
    is_worthless(signed(made, OF_TICKET | OF_ADMISSION))


def test_one_kind_is_not_the_other():
    assert TOKENS.read_ticket(ADMISSION, PRODUCT) is None
    assert TOKENS.check_admission(TICKET, USER, PRODUCT, EPOCH) is AdmissionCheck.REQUIRED
    both = OF_TICKET | OF_ADMISSION
    assert TOKENS.read_ticket(signed(header("admission+jwt"), both), PRODUCT) is None
    checked = TOKENS.check_admission(signed(header("place+jwt"), both), USER, PRODUCT, EPOCH)
    assert checked is AdmissionCheck.REQUIRED


@pytest.mark.parametrize("token", [TICKET, ADMISSION], ids=KINDS)
def test_it_is_for_one_product_user_and_epoch(token):
    for other in ("p-hostil", "P-HOSTILE", "", "*", "p-hostile\n"):
        assert TOKENS.read_ticket(token, other) is None
        assert TOKENS.check_admission(token, USER, other, EPOCH) is AdmissionCheck.REQUIRED
    for user, epoch in (("u-00002", EPOCH), (USER, EPOCH - 1), (USER, EPOCH + 1), (USER, 0)):
        assert TOKENS.check_admission(token, user, PRODUCT, epoch) is AdmissionCheck.REQUIRED


@pytest.mark.parametrize("typ", KINDS)
def test_a_token_cannot_choose_its_algorithm(typ):
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = KINDS[typ]
    text = f"{encoded(header(typ, 'none'))}.{encoded(claims)}"

    is_worthless(f"{text}.")
    is_worthless(f"{text}.{encoded(b'0' * 32)}")
    for algorithm in ("none", "None", "", "HS384", "HS512", "RS256", "hs256", None, 7):
        is_worthless(signed(header(typ, algorithm), claims))
    is_worthless(signed(header(typ, "HS512"), claims, hashed="sha512"))
    is_worthless(jwt.encode(claims, RSA, "RS256", headers={"typ": typ}))
    is_worthless(signed(header(typ), claims, public))
    is_worthless(signed(header(typ), claims, b""))
    is_worthless(signed(header(typ) | {"jwk": {"kty": "oct", "k": encoded(b"k" * 32)}}, claims,
                        b"k" * 32))  # fmt: skip
    is_worthless(signed(header(typ) | {"crit": ["x"], "x": 1}, claims))


@pytest.mark.parametrize("typ", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {"sub": ...}, {"sub": 7}, {"sub": ""}, {"sub": "a b"}, {"sub": "u-00001\n"},
        {"sub": "u" * 129}, {"sub": [USER]}, {"sub": None}, {"aud": ...}, {"aud": None},
        {"aud": [PRODUCT]}, {"aud": {}}, {"epoch": ...}, {"epoch": "2"}, {"epoch": True},
        {"epoch": -1}, {"epoch": 2.0}, {"epoch": None},
    ],
    ids=str,
)  # fmt: skip
def test_even_a_signed_one_has_claims_of_the_known_form(typ, changes):
    """A leaked secret lets anybody sign. No script gets to see what only they could write."""
    claims = {name: v for name, v in (KINDS[typ] | changes).items() if v is not ...}

    is_worthless(signed(header(typ), claims))


@pytest.mark.parametrize("wrong", [..., "77", True, -1, 1.5, None, 2**53, 10**400, [1]], ids=type)
def test_a_signed_number_or_end_of_another_form_is_worthless(wrong):
    for typ, name in (("place+jwt", "i"), ("admission+jwt", "exp")):
        claims = {k: v for k, v in (KINDS[typ] | {name: wrong}).items() if v is not ...}

        is_worthless(signed(header(typ), claims))


async def test_an_access_token_is_no_ticket_and_a_ticket_no_access_token():
    """Even where somebody gave both the same secret."""
    trust = TrustedIssuer("https://issuer.example", PRODUCT, secret=SECRET)
    access = {"iss": trust.issuer, "exp": END, **OF_TICKET}

    is_worthless(jwt.encode(access, SECRET, "HS256"))
    is_worthless(jwt.encode(access, SECRET, "HS256", headers={"typ": "at+jwt"}))
    tokens = Tokens(trust)
    assert isinstance(await tokens.verify(jwt.encode(access, SECRET, "HS256")), Principal)
    for token in (TICKET, ADMISSION):
        assert isinstance(await tokens.verify(token), Denied)


@pytest.mark.parametrize(
    "garbage",
    [
        "", ".", "..", "...", "a.b.c", "null", "{}", "ticket", "tïck.ët.x", "\x00", "\ud800.a.b",
        TICKET.rpartition(".")[0], f"{TICKET.rpartition('.')[0]}.", f"{TICKET}.{TICKET}", "A" * 41,
        f"{encoded(b'[]')}.{encoded(b'[]')}.{encoded(b'0' * 32)}",
    ],
)  # fmt: skip
def test_garbage_is_worthless(garbage):
    is_worthless(garbage)


def test_what_is_huge_or_deep_is_worthless():
    payload = encoded(OF_TICKET)
    deep = b'{"":' * 1040 + b"1" + b"}" * 1040
    for hostile in (
        "A" * 1_000_000,
        "." * 8000,
        f"{encoded(b'[' * 5900)}.{payload}.{'A' * 43}",
        f"{encoded(deep)}.{payload}.{'A' * 43}",
        f"{encoded(b'9' * 5900)}.{payload}.{'A' * 43}",
        signed(header("place+jwt"), OF_TICKET | {"padding": "x" * MAX_TOKEN}),
        signed(header("place+jwt") | {"padding": "x" * MAX_TOKEN}, OF_TICKET),
    ):
        is_worthless(hostile)
