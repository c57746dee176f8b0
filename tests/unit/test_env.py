"""`flashsale env` prints what a shell can evaluate."""

import subprocess

import pytest
from typer.testing import CliRunner

from flashsale_local.cli import app
from flashsale_local.cli import env as cli
from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment.target import Target

AWS_NAMES = {
    "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
}  # fmt: skip


API = Endpoint("http://127.0.0.1:1/it's $HOME")


@pytest.fixture
def run(tmp_path, monkeypatch):
    def run(*arguments, endpoint=API, **saved):
        for variable in ("REDIS_URL", "DATABASE_URL", "EMULATOR", *AWS_NAMES):
            monkeypatch.setenv(variable, "")  # so that what the command exports is undone
            monkeypatch.delenv(variable)
        monkeypatch.setattr(cli, "LOCAL", tmp_path)
        monkeypatch.setattr(Target, "api", endpoint)
        monkeypatch.setattr(Target, "webhook_endpoint", Endpoint("http://127.0.0.1:2/hook"))
        addresses = {"redis_url": "redis://r", "database_url": "postgresql://d"}
        Target(**addresses, **{"endpoint_url": "http://127.0.0.1:4566", **saved}).save(tmp_path)
        return CliRunner().invoke(app, ["env", *arguments], catch_exceptions=False)

    return run


def evaluated(script, *names):
    """Return the values that these variables have in a shell that evaluated the output."""
    shown = "; ".join(f'printf "%s\\n" "${{{name}-unset}}"' for name in names)
    return subprocess.run(
        ["/bin/sh", "-c", f'eval "$1"; {shown}', "sh", script],
        capture_output=True, text=True, check=True, env={"AWS_ENDPOINT_URL": "before"},
    ).stdout.splitlines()  # fmt: skip


def test_a_shell_gets_the_addresses(run):
    printed = run(asgi_url="http://127.0.0.1:8081").stdout

    assert evaluated(printed, "API", "API_ASGI", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION") == [
        "http://127.0.0.1:1/it's $HOME", "http://127.0.0.1:8081", "http://127.0.0.1:4566",
        "us-east-1",
    ]  # fmt: skip


def test_a_shell_gets_what_it_pays_with(run):
    printed = run(provider_url="http://127.0.0.1:8090", webhook_secret="whsec_'1").stdout

    assert evaluated(printed, "PROVIDER", "WEBHOOK", "WEBHOOK_SECRET") == [
        "http://127.0.0.1:8090", "http://127.0.0.1:2/hook/api/payments/webhook", "whsec_'1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["API_ASGI", "PROVIDER", "WEBHOOK"])
def test_what_does_not_run_is_not_set(run, name):
    assert name not in run().stdout


def test_unset_undoes_it(run):
    printed = run("--unset").stdout

    assert {line.removeprefix("unset ") for line in printed.splitlines()} == {"API", *AWS_NAMES}
    assert evaluated(printed, "AWS_ENDPOINT_URL") == ["unset"]


def test_no_credentials_of_an_emulator_are_set_on_aws(run):
    assert run(endpoint_url="").stdout.splitlines() == [
        """export API='http://127.0.0.1:1/it'"'"'s $HOME'"""
    ]


def test_a_header_that_the_api_needs_is_named_beside_the_output(run):
    done = run(endpoint=Endpoint("http://127.0.0.1:1", {"Host": "a.b"}))

    assert "Host: a.b" in done.stderr
    assert "Host" not in done.stdout
