"""Settings of authentication. Unsafe or incomplete ones are rejected at the start."""

import pytest

from flashsale.config import Rate, Settings, origins
from flashsale.errors import ConfigError

STORES = {"REDIS_URL": "redis://h:1/0", "DATABASE_URL": "postgresql://u:hidden@h:1/db"}
NAMES = {"JWT_ISSUER": "https://i", "JWT_AUDIENCE": "shop"}
SECRET = "s" * 32


def settings(**more):
    return Settings.from_mapping({**STORES, **more})


def test_without_settings_no_token_is_trusted():
    assert settings().auth == "none"
    assert settings().trusted_issuer is None


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"AUTH": "yes"}, "AUTH is 'yes'"),
        ({"AUTH": "jwt"}, "set JWT_JWKS_URL"),
        ({"AUTH": "jwt", "JWT_SECRET": SECRET}, "JWT_ISSUER and JWT_AUDIENCE not set"),
        ({"JWT_SECRET": "short", **NAMES}, "JWT_SECRET is too short"),
        ({"JWT_SECRET": SECRET, "JWT_JWKS_URL": "https://i/k", **NAMES}, "set one of them only"),
        ({"JWT_JWKS_URL": "http://issuer.example/keys", **NAMES}, "not encrypted"),
        ({"JWT_JWKS_URL": "file:///etc/passwd", **NAMES}, "JWT_JWKS_URL is malformed"),
        ({"JWT_JWKS_URL": "https://i/k", **NAMES}, "JWT_JWKS_URL is set and AUTH is not"),
        ({"JWT_SECRET": SECRET, **NAMES, "AUTH": ""}, "JWT_SECRET is set and AUTH is not"),
        (NAMES, "JWT_ISSUER is set and AUTH is not"),
        ({"RATE_LIMIT_USER": "ten"}, "RATE_LIMIT_USER is 'ten'"),
        ({"RATE_LIMIT_ADDRESS": "0/60"}, "RATE_LIMIT_ADDRESS is '0/60'"),
    ],
)
def test_unsafe_or_incomplete_settings_are_rejected(more, named):
    with pytest.raises(ConfigError, match=named):
        settings(**more)


def test_admins_need_tokens_even_where_buyers_do_not():
    read = settings(AUTH="none", JWT_SECRET=SECRET, **NAMES)

    assert (read.auth, read.trusted_issuer and read.trusted_issuer.secret) == ("none", SECRET)


def test_limits_and_trust_are_read():
    read = settings(
        RATE_LIMIT_USER="10/60", JWT_JWKS_URL="http://127.0.0.1:1/keys", AUTH="jwt", **NAMES
    )

    assert read.rate_limits == {"user": Rate(10, 60)}
    assert read.trusted_issuer
    assert (read.trusted_issuer.issuer, read.trusted_issuer.audience) == ("https://i", "shop")


def test_settings_do_not_print_secrets():
    printed = repr(settings(AUTH="none", JWT_SECRET=SECRET, **NAMES))

    assert SECRET not in printed
    assert "hidden" not in printed


def test_origins_are_a_list_without_wildcards():
    listed = "https://a.example, http://localhost:3000"
    assert origins({"CORS_ORIGINS": listed}) == ["https://a.example", "http://localhost:3000"]
    assert origins({}) == []
    for unsafe in ("*", "https://a.example/", "null", "https://*.example"):
        with pytest.raises(ConfigError):
            origins({"CORS_ORIGINS": unsafe})
