"""What `flashsale up` takes from its environment for who is let in, and how often."""

from infra import sign_in
from infra.deploy import local_parameters
from infra.target import Target


def test_the_limits_of_the_environment_reach_the_functions(monkeypatch):
    monkeypatch.setenv("RATE_LIMIT_USER", "2/60")
    monkeypatch.setenv("CORS_ORIGINS", "")
    target = Target("redis://127.0.0.1:1", "postgresql://127.0.0.1:1", "")

    parameters = local_parameters(target)

    assert parameters["RateLimitUser"] == "2/60"
    # The template's own defaults.
    assert not {"RateLimitAddress", "CorsOrigins"} & set(parameters)


def test_only_limits_are_passed_on():
    environment = {"RATE_LIMIT_ADDRESS": "9/1", "JWT_SECRET": "s", "PATH": "/bin"}

    assert sign_in.limits(environment) == {"RATE_LIMIT_ADDRESS": "9/1"}
