"""The IAM token that replaces PostgreSQL's password on AWS."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from psycopg.conninfo import conninfo_to_dict

from flashsale.config import Settings
from flashsale.errors import ConfigError
from flashsale.postgres_store import rds_token
from flashsale.services import Services
from flashsale_local.stack.program import free_port

HOST = "flashsale.proxy-abc.us-east-1.rds.amazonaws.com"
URL = f"postgresql://flashsale@{HOST}:5432/flashsale?sslmode=verify-full"


def asks(token):
    """Return the content of a token without its time of signing."""
    found = {name: value for name, (value,) in parse_qs(urlsplit(f"//{token}").query).items()}
    assert found.pop("X-Amz-Signature")
    assert found.pop("X-Amz-Date")
    return urlsplit(f"//{token}").netloc, found


def test_the_token_equals_the_one_of_the_aws_client():
    client = boto3.client("rds", region_name="us-east-1")
    theirs = client.generate_db_auth_token(HOST, 5432, "flashsale")

    assert asks(rds_token.token(f"{HOST}:5432", "flashsale")) == asks(theirs)


async def test_each_connection_gets_a_new_token_in_an_otherwise_equal_url(monkeypatch):
    made = iter(["first", "second"])
    monkeypatch.setattr(rds_token, "token", lambda *_: next(made))
    fresh = rds_token.conninfo_with_token(URL)

    first, second = conninfo_to_dict(await fresh()), conninfo_to_dict(await fresh())

    assert (first["password"], second["password"]) == ("first", "second")
    assert first["sslmode"] == "verify-full"
    assert (first["host"], first["user"], first["dbname"]) == (HOST, "flashsale", "flashsale")


async def test_a_password_that_postgresql_rejects_is_not_shown(monkeypatch):
    url = f"postgresql://flashsale@127.0.0.1:{free_port()}/flashsale"
    monkeypatch.setattr(rds_token, "token", lambda *_: "the-secret")
    services = Services(
        Settings(redis_url="redis://127.0.0.1", database_url=url, database_iam=True)
    )

    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it is, it tells nothing
        await services.database.ping()

    assert "the-secret" not in f"{refused.value!r} {refused.value.__cause__!r}"
    await services.close()


def test_the_environment_decides_whether_a_token_is_used():
    stores = {"REDIS_URL": "redis://127.0.0.1", "DATABASE_URL": URL}

    assert Settings.from_mapping({**stores, "DATABASE_AUTH": "iam"}).database_iam
    assert not Settings.from_mapping(stores).database_iam
    with pytest.raises(ConfigError, match="DATABASE_AUTH"):
        Settings.from_mapping({**stores, "DATABASE_AUTH": "kerberos"})
