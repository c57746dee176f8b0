"""Checks before a deployment to AWS changes anything, and how AWS' own errors are shown."""

import json
import os

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flashsale_local import cli
from flashsale_local.deployment import preflight
from flashsale_local.deployment.steps import Environment
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem

ISSUER = "JwtIssuer=https://issuer.example.org/ JwtAudience=flashsale"
JWT = f"{ISSUER} JwtJwksUrl=https://issuer.example.org/jwks.json"
PUBLIC = ec.generate_private_key(ec.SECP256R1()).public_key()
KEYS = json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(PUBLIC))]})


def parameters(overrides):
    """Return the application's parameters in the format of samconfig.toml."""
    settings = {"deploy": {"parameters": {"parameter_overrides": overrides}}}
    return Environment("prod", settings).parameters("deploy")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Canary=true", "JwtIssuer"),
        (ISSUER, "JwtJwks"),
        (f"{JWT} JwtJwks={KEYS}", "one of"),
        ("Auth=none", "Auth is none"),
        (f"{ISSUER} JwtSecret={'s' * 32}", "JwtSecret is for local stacks"),
        (f"{ISSUER} JwtJwks={KEYS}", "not a JSON Web Key Set"),  # the shell's rules eat its quotes
        (f"{ISSUER} JwtJwks='{{}}'", "not a JSON Web Key Set"),
    ],
)
def test_unsafe_token_settings_are_rejected_first(given, told):
    with pytest.raises(Problem, match=told):
        preflight.tokens("prod", parameters(given))


def test_quoted_keys_arrive_complete():
    given = parameters(f"{ISSUER} JwtJwks='{KEYS}'")

    assert given["JwtJwks"] == KEYS


def test_botocore_uses_aws_region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    assert preflight.region(os.environ) == "eu-central-1"
    assert boto3.Session().region_name == "eu-central-1"


def test_without_a_region_nothing_is_deployed(monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(Problem, match="No AWS region"):
        preflight.region(os.environ)


def test_an_emulator_is_not_mistaken_for_aws():
    with pytest.raises(Problem, match=r"127\.0\.0\.1:4566"):
        preflight.region({"AWS_REGION": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})


def test_an_error_of_aws_is_shown_without_a_traceback(monkeypatch, capsys):
    def no_credentials():
        boto3.client("sts", region_name="us-east-1").get_caller_identity()

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(cli, "app", no_credentials)

    with pytest.raises(SystemExit, match="1"):
        cli.main()

    assert "Unable to locate credentials" in capsys.readouterr().err


def test_a_leftover_local_stack_is_ignored_when_aws_is_named(monkeypatch, tmp_path):
    Target("redis://l", "postgresql://l", "http://127.0.0.1:4566", token_secret="s").save(tmp_path)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in {
        "EMULATOR": "aws",
        "AWS_REGION": "eu-central-1",
        "REDIS_URL": "rediss+cluster://aws",
        "DATABASE_URL": "postgresql://aws",
    }.items():
        monkeypatch.setenv(name, value)

    target = Target.load(tmp_path)

    assert target.cloud.name == "AWS"
    assert not target.token_secret
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-central-1"
