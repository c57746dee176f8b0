"""Nearly valid tokens: every change of a valid one is 401 and buys nothing."""

import base64
import dataclasses
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given
from hypothesis import strategies as st

from flashsale.config import TrustedIssuer
from flashsale.http.application import create_app
from flashsale.http.gateway import lambda_handler
from flashsale.services import Services
from flashsale.sqs_store.order_queue import OrderQueue
from tests.helpers.edges import Lambda
from tests.helpers.support import USERS
from tests.hostile.budget import fuzzed
from tests.hostile.poison import values

SECRET = "an-hmac-secret-of-at-least-thirty-two-bytes"
ISSUER, AUDIENCE = "https://issuer.example", "flashsale"
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
KEYS = {"HS256": SECRET, "RS256": RSA, "ES256": EC}


def jwks():
    algorithms = jwt.get_algorithm_by_name("RS256"), jwt.get_algorithm_by_name("ES256")
    made = [
        algorithm.to_jwk(KEYS[name].public_key(), as_dict=True) | {"kid": name, "use": "sig"}
        for algorithm, name in zip(algorithms, ("RS256", "ES256"), strict=True)
    ]
    return json.dumps({"keys": made})


def claims(**changes):
    now = int(time.time())
    all_ = {"iss": ISSUER, "aud": AUDIENCE, "sub": USERS[0], "iat": now, "exp": now + 3600}
    return {name: value for name, value in (all_ | changes).items() if value is not ...}


def token(algorithm, **changes):
    payload = json.dumps(claims(**changes)).encode()  # PyJWT would refuse to write some of these
    return jwt.api_jws.encode(payload, KEYS[algorithm], algorithm, headers={"kid": algorithm})


@pytest.fixture(params=["HS256", "RS256", "ES256"])
def algorithm(request):
    return request.param


@pytest.fixture
def guarded(migrated, sqs, queue_url, one_thread, algorithm):
    """Return the buy function where buyers need a token."""
    key = {"secret": SECRET} if algorithm == "HS256" else {"jwks": jwks()}
    trust = TrustedIssuer(ISSUER, AUDIENCE, **key)
    services = Services(dataclasses.replace(migrated, auth="jwt", trusted_issuer=trust))
    services.order_queue = OrderQueue(sqs, queue_url)
    yield Lambda(lambda_handler(create_app(lambda: services)), one_thread)
    one_thread.submit(Lambda.run, services.close).result()


def buy(edge, shop, authorization):
    headers = {"content-type": "application/json", "authorization": authorization}
    return edge.request("POST", "/api/v5/buy", shop.body(userId=...), headers)


def is_refused(edge, shop, changed):
    before = shop.everything()

    answer = buy(edge, shop, f"Bearer {changed}")

    assert answer.status == 401, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert shop.everything() == before


def encoded(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment):
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


@st.composite
def changed_text(draw, good):
    """Flip bits, or insert, cut or duplicate characters."""
    at, how = (
        draw(st.integers(0, len(good) - 1)),
        draw(st.sampled_from(["flip", "put", "cut", "swap"])),
    )
    if how == "flip":
        flipped = chr(ord(good[at]) ^ (1 << draw(st.integers(0, 6))))
        return good[:at] + flipped + good[at + 1 :]
    if how == "put":
        return good[:at] + draw(st.text(min_size=1, max_size=5)) + good[at:]
    if how == "cut":
        return good[:at]
    parts = draw(st.lists(st.sampled_from(good.split(".")), max_size=5))
    return ".".join(parts)


@st.composite
def changed_parts(draw, good):
    """Change the header or the claims, and keep or remove the signature."""
    header, payload, signature = good.split(".")
    changed = draw(st.sampled_from(["header", "payload"]))
    old = decoded(header if changed == "header" else payload)
    name = draw(st.sampled_from([*old, "jku", "jwk", "x5u", "crit", "b64", "cty", "zip", "nbf"]))
    algorithms = st.sampled_from(["none", "None", "HS256", "HS512", "RS256", "PS256", "EdDSA", ""])
    new = encoded(old | {name: draw(values | algorithms)})
    header, payload = (new, payload) if changed == "header" else (header, new)
    return ".".join([header, payload, draw(st.sampled_from([signature, "", encoded(b"0" * 32)]))])


def test_a_valid_token_buys(guarded, shop, algorithm):
    assert buy(guarded, shop, f"Bearer {token(algorithm)}").status == 202


@fuzzed(0.7)
@given(data=st.data())
def test_a_token_with_any_change_is_rejected(guarded, shop, algorithm, data):
    good = token(algorithm)
    changed = data.draw(changed_text(good) | changed_parts(good))
    assume(changed.strip() != good)

    is_refused(guarded, shop, changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": ...}, {"exp": 1}, {"exp": "never"}, {"exp": 1e999}, {"nbf": 2**40}, {"iss": ...},
        {"iss": "https://elsewhere.example"}, {"iss": [ISSUER]}, {"aud": ...}, {"aud": "else"},
        {"aud": {}}, {"aud": [[AUDIENCE]]}, {"sub": ...}, {"sub": 1}, {"sub": ""}, {"sub": "a b"},
        {"sub": "u-00001\n"}, {"sub": [USERS[0]]}, {"sub": "\ud800"}, {"sub": "u" * 129},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_a_signed_token_with_other_claims_is_rejected(guarded, shop, algorithm, changes):
    is_refused(guarded, shop, token(algorithm, **changes))


def test_tokens_that_are_expensive_to_parse_are_rejected(guarded, shop, algorithm):
    header, payload, signature = token(algorithm).split(".")
    objects = b'{"a":' * 1100
    for hostile in (
        "a" * 1_000_000,
        "." * 8000,
        f"{encoded(b'[' * 5900)}.{payload}.{signature}",
        f"{encoded(objects)}.{payload}.{signature}",
        f"{encoded(b'9' * 5900)}.{payload}.{signature}",
        f"{header}.{payload}.{'A' * 7000}",
    ):
        is_refused(guarded, shop, hostile)


def test_a_signed_token_has_one_valid_spelling(guarded, shop, algorithm):
    """Otherwise blocking a stolen token would not block its other spellings."""
    good = token(algorithm)
    last = good[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = [
        good[:-1] + other
        for other in alphabet
        if other != last and signature_of(good[:-1] + other) == signature_of(good)
    ]

    assert same_bytes
    for changed in [*same_bytes, f"{good}=", f"{good}==", f"{good[:-9]}*{good[-9:]}"]:
        is_refused(guarded, shop, changed)


def signature_of(text):
    return base64.urlsafe_b64decode(text.split(".")[2] + "==")


def test_a_public_key_signs_no_token(guarded, shop, algorithm):
    """Reject algorithm confusion: HS256 with the text of a public key as its secret."""
    header = encoded({"alg": "HS256", "typ": "JWT", "kid": "RS256"})
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{header}.{encoded(claims())}"
    forged = hmac.digest(public, signed.encode(), "sha256")

    is_refused(guarded, shop, f"{signed}.{encoded(forged)}")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic dTpw", "bearer none", "Bearer a b", "Bearer null", "\x00"],
)
def test_other_authorization_headers_are_rejected(guarded, shop, authorization):
    before = shop.everything()

    assert buy(guarded, shop, authorization).status == 401
    assert shop.everything() == before


@pytest.mark.parametrize("generation", [1, 2, 3, 4])
def test_generations_that_trust_the_body_are_closed(guarded, shop, generation):
    before = shop.everything()

    answer = guarded.request("POST", f"/api/v{generation}/buy", shop.body())

    assert answer.status == 404
    assert shop.everything() == before
