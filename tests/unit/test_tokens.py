"""Which tokens are trusted: keys fetched over HTTP, and invalid tokens of every kind."""

import base64
import json
from dataclasses import replace

import pytest

from flashsale.auth.principal import ADMIN_SCOPE, Denied, Principal
from flashsale.auth.tokens import MAX_TOKEN, Tokens
from flashsale.config import TrustedIssuer
from flashsale.errors import ConfigError
from tests.helpers.issuer import AUDIENCE, NAME, Issuer, forged

TRUST = TrustedIssuer(NAME, AUDIENCE)


@pytest.fixture(scope="module")
def issuer():
    """Serve the keys of an issuer with one RSA key."""
    return Issuer()


@pytest.fixture
def tokens(issuer):
    return Tokens(replace(TRUST, jwks=json.dumps(issuer.document())))


async def test_a_valid_token_names_its_bearer(issuer, tokens):
    token = issuer.token("u-7", scope=f"openid {ADMIN_SCOPE}")

    principal = await tokens.verify(token)

    assert principal == Principal("u-7", frozenset({"openid", ADMIN_SCOPE}))
    assert principal.is_admin


async def test_an_elliptic_curve_key_is_accepted(issuer):
    issuer = Issuer()
    issuer.add("ec-1", "ES256")
    tokens = Tokens(replace(TRUST, jwks=json.dumps(issuer.document())))

    assert isinstance(await tokens.verify(issuer.token()), Principal)
    assert isinstance(await tokens.verify(issuer.token(kid="rsa-1")), Principal)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": 1}, "expired"),
        ({"nbf": 2**33}, "not valid yet"),
        ({"iat": 2**33}, "not valid yet"),
        ({"aud": "another shop"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["another", "and another"]}, "audience"),
        ({"iss": "https://issuer.evil"}, "issuer"),
        ({"exp": None}, "lacks a claim"),
        ({"sub": None}, "lacks a claim"),
        ({"iss": None}, "lacks a claim"),
        ({"sub": "two words"}, "no user id"),
        ({"sub": "x" * 129}, "no user id"),
        ({"sub": ""}, "no user id"),
        ({"exp": "soon"}, "not valid"),
        ({"sub": 7}, "not valid"),
    ],
    ids=str,
)
async def test_an_invalid_claim_is_named(issuer, tokens, changes, reason):
    denied = await tokens.verify(issuer.token(**changes))

    assert isinstance(denied, Denied)
    assert reason in denied.reason


async def test_a_token_cannot_choose_its_algorithm(issuer, tokens):
    valid = issuer.token()
    stranger = Issuer()
    header = {"kid": issuer.newest, "typ": "JWT"}
    wrong = {
        "none": forged(valid, {**header, "alg": "none"}),
        "None": forged(valid, {**header, "alg": "None"}),
        "the public key as a secret": issuer.confused_token(),
        "an empty secret": forged(valid, {**header, "alg": "HS256"}, b" "),
        "another's key under the same id": stranger.token(kid="rsa-1"),
        "an unknown key": stranger.token(headers={"kid": "unknown"}),
        "a key id that is no string": forged(valid, {**header, "alg": "RS256", "kid": 7}),
        "a key in the token": stranger.token(
            headers={"jwk": stranger.document()["keys"][0], "jku": "http://127.0.0.1:1/"}
        ),
        "unknown critical header": issuer.token(headers={"crit": ["x"], "x": 1}),
        "no signature": valid.rpartition(".")[0] + ".",
        "two segments": valid.rpartition(".")[0],
        "no token": "token",
        "not ASCII": "töken.töken.töken",
        "not base64": "!.!.!",
        "a deep header": base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.",
    }

    for name, token in wrong.items():
        assert isinstance(await tokens.verify(token), Denied), name
    assert isinstance(await tokens.verify(valid), Principal)


async def test_a_huge_token_is_rejected_without_parsing(issuer, tokens):
    denied = await tokens.verify(issuer.token(padding="x" * MAX_TOKEN))

    assert denied == Denied("The token is too large.")


async def test_a_client_id_replaces_a_missing_audience(issuer, tokens):
    """Access tokens of Amazon Cognito have a client_id and no audience."""
    mine = issuer.token(aud=None, client_id=AUDIENCE)
    both = issuer.token(aud="another shop", client_id=AUDIENCE)

    assert isinstance(await tokens.verify(mine), Principal)
    assert isinstance(await tokens.verify(both), Denied)


@pytest.mark.parametrize("scope", [{"scp": [ADMIN_SCOPE, 7]}, {"scope": ADMIN_SCOPE}])
async def test_scopes_may_be_a_string_or_a_list(issuer, tokens, scope):
    assert (await tokens.verify(issuer.token(**scope))).is_admin


@pytest.mark.parametrize("scope", [{}, {"scope": 7}, {"scope": ADMIN_SCOPE + "s"}, {"scp": {}}])
async def test_nobody_is_an_admin_by_accident(issuer, tokens, scope):
    assert not (await tokens.verify(issuer.token(**scope))).is_admin


async def test_a_secret_signs_only_where_it_is_configured(issuer, tokens):
    by_secret = Tokens(replace(TRUST, secret="s" * 32))
    token = forged(issuer.token("u-9"), {"alg": "HS256"}, b"s" * 32)

    assert (await by_secret.verify(token)).user_id == "u-9"
    assert isinstance(await by_secret.verify(issuer.token()), Denied)
    assert isinstance(await tokens.verify(token), Denied)


async def test_without_an_issuer_no_token_is_trusted(issuer):
    assert isinstance(await Tokens(None).verify(issuer.token()), Denied)


@pytest.mark.parametrize("jwks", ["no JSON", "[]", "{}", '{"keys": 7}', '{"keys": []}'])
def test_unreadable_keys_are_an_invalid_setting(jwks):
    with pytest.raises(ConfigError, match="JWT_JWKS"):
        Tokens(replace(TRUST, jwks=jwks))


async def test_a_symmetric_key_among_public_keys_is_ignored(issuer):
    public = {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "oct", "use": "sig", "alg": "HS256"}
    tokens = Tokens(replace(TRUST, jwks=json.dumps({"keys": [public, *issuer.document()["keys"]]})))

    token = forged(issuer.token(), {"alg": "HS256", "kid": "oct"}, b"secret" * 8)

    assert isinstance(await tokens.verify(token), Denied)
