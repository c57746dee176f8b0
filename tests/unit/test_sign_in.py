"""Settings of authentication and rate limits that `flashsale up` takes from the shell."""

import pytest
from samcli.cli.types import CfnParameterOverridesType

from flashsale_local.deployment import deploy, sign_in
from flashsale_local.deployment.deploy import local_parameters
from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack import access


def test_the_limits_of_the_environment_reach_the_functions(monkeypatch):
    monkeypatch.setenv("RATE_LIMIT_USER", "2/60")
    monkeypatch.setenv("CORS_ORIGINS", "")
    target = Target("redis://127.0.0.1:1", "postgresql://127.0.0.1:1", "")

    parameters = local_parameters(target)

    assert parameters["RateLimitUser"] == "2/60"
    # The empty value is explicit, because CloudFormation keeps the old value of an omitted one.
    assert (parameters["RateLimitAddress"], parameters["CorsOrigins"]) == ("", "")


def test_only_limits_are_passed_on():
    environment = {"RATE_LIMIT_ADDRESS": "9/1", "JWT_SECRET": "s", "PATH": "/bin"}

    assert sign_in.limits(environment) == {
        "RATE_LIMIT_USER": "", "RATE_LIMIT_ADDRESS": "9/1", "CORS_ORIGINS": ""
    }  # fmt: skip


def test_sam_understands_values_that_are_empty_or_have_spaces():
    asked = {"RateLimitUser": "", "CorsOrigins": "https://a.example, https://b.example"}

    words = deploy._overrides({**asked, "RedisUrl": "redis://h:1/0?a=b&c=d"})[1:]

    understood = CfnParameterOverridesType().convert(tuple(words), None, None)
    assert understood == {**asked, "RedisUrl": "redis://h:1/0?a=b&c=d"}


@pytest.mark.parametrize("name", ["JWT_JWKS_URL", "JWT_JWKS", "JWT_ISSUER", "JWT_SECRET"])
def test_keys_that_the_local_stack_does_not_trust_are_refused(name):
    with pytest.raises(Problem) as caught:
        sign_in.refuse_other_issuers({"AUTH": "jwt", name: "k3y-of-another"})

    assert name in caught.value.cause
    assert "k3y-of-another" not in caught.value.cause + caught.value.way_out
    sign_in.refuse_other_issuers({"JWT_ISSUER": sign_in.ISSUER, "JWT_JWKS_URL": ""})


def test_a_deployment_takes_the_auth_that_this_shell_names(tmp_path, monkeypatch):
    monkeypatch.setattr(access, "LOCAL", tmp_path)
    running = Target("redis://127.0.0.1:1", "postgresql://127.0.0.1:1", "", auth="jwt")

    monkeypatch.delenv("AUTH", raising=False)
    assert access.with_auth_of_shell(running).auth == "jwt", "a missing AUTH opens nothing"
    monkeypatch.setenv("AUTH", "none")
    assert access.with_auth_of_shell(running).auth == "none"
    assert '"auth": "none"' in (tmp_path / "target.json").read_text()
