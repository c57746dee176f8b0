"""The command `flashsale`: its help, its version, and its message for a stack that is down."""

import subprocess
import sys

import botocore.exceptions
import httpx
import psycopg
import psycopg_pool
import pytest
import redis
import typer
from typer.testing import CliRunner

from flashsale.errors import ConfigError, DatabaseUnavailable, QueueUnavailable, StockUnavailable
from flashsale_local.cli import Commands, app, main
from flashsale_local.command_line import explain
from flashsale_local.problems import AccessRefused, Problem, StackDown
from flashsale_local.stack.program import free_port
from loadtest.spike import __main__ as spike

ENTRIES = {name: entry for panel in Commands.panels.values() for name, entry in panel.items()}
SLOW = ("boto3", "botocore", "fastapi", "httpx", "psycopg", "pydantic", "redis")
HELP = f"""
import sys
from flashsale_local.cli import main
sys.argv = ["flashsale", "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code
print("imported:", *sorted(set(sys.modules) & {set(SLOW)!r}))
"""


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_help_lists_all_commands_in_panels_without_importing_them():
    done = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True
    ).stdout

    assert done.splitlines()[-1] == "imported:"
    assert len(Commands.panels) > 3
    for panel, entries in Commands.panels.items():
        shown = done.split(f" {panel} ─")[1].split("╰")[0]
        for name in entries:
            assert f"│ {name} " in shown, name


@pytest.mark.parametrize("name", ENTRIES)
def test_a_summary_is_the_first_paragraph_of_the_commands_own_help(name):
    found = ENTRIES[name].load()
    own = found.info.help if isinstance(found, typer.Typer) else found.__doc__

    assert " ".join(own.split("\n\n")[0].split()) == ENTRIES[name].summary


@pytest.mark.parametrize("name", ENTRIES)
def test_each_command_shows_its_own_name_in_its_help(name):
    done = run(name, "--help")

    assert done.exit_code == 0
    assert f" {name} [OPTIONS]" in done.stdout
    assert "completion" not in done.stdout


def test_a_mistyped_command_is_told_from_a_similar_one():
    done = run("opne")

    assert done.exit_code == 2
    assert "Did you mean 'open'?" in done.stderr


def test_the_version_is_printed():
    done = run("--version")

    assert (done.exit_code, done.stdout) == (0, "flashsale 1.0.0\n")


NO_ANSWER = [
    StockUnavailable("Redis: Error 111"),
    DatabaseUnavailable("PostgreSQL: no connection"),
    QueueUnavailable("SQS: no answer"),
    botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    botocore.exceptions.ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"),
    httpx.ConnectError("refused"),
    psycopg.OperationalError("refused"),
    psycopg_pool.PoolTimeout("no connection in time"),
    redis.ConnectionError("refused"),
    redis.TimeoutError("silent"),
]


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: type(error).__name__)
def test_a_server_without_an_answer_is_one_message(error):
    problem = explain(error)

    assert isinstance(problem, StackDown)
    assert problem.cause.startswith(f"The stack is down. {str(error).rstrip('.')}.")
    assert "`flashsale up` starts" in problem.way_out


@pytest.mark.parametrize(
    "error",
    [
        StockUnavailable("Redis: invalid username-password pair or user is disabled."),
        StockUnavailable("Redis: Authentication required."),
        redis.AuthenticationError("WRONGPASS invalid username-password pair"),
        psycopg.OperationalError('FATAL: password authentication failed for user "a"'),
        psycopg.OperationalError('FATAL: role "a" does not exist'),
        psycopg.OperationalError("fe_sendauth: no password supplied"),
    ],
    ids=["pair", "required", "wrongpass", "wrong", "role", "none"],
)
def test_a_wrong_password_is_not_taken_for_a_stack_that_is_down(error):
    problem = explain(error)

    assert isinstance(problem, AccessRefused)
    assert "rejects the user or the password" in problem.cause
    assert "down" not in problem.cause


def test_other_errors_are_not_taken_for_a_stack_that_is_down():
    config, denied = ConfigError("REDIS_URL: x"), botocore.exceptions.NoCredentialsError()

    assert not isinstance(explain(config), StackDown)
    assert "AWS_PROFILE" in explain(denied).way_out
    assert explain(Problem("a", "b")).cause == "a"
    assert explain(KeyError("a bug")) is None


@pytest.mark.parametrize(
    "command",
    [
        "status", "verify", "seed", "open --yes", "rebuild --yes", "logs", "token --user u-1",
        "dlq ls", "dlq peek", "dlq redrive", "dlq cancel --all", "env", "exporter",
        "pause --all", "resume p-1", "end p-1", "restock p-1 1", "cancel o-1 --reason x", "audit",
        "status --json", "logs --order p:1-0", "logs --follow --json", "monitor --no-open",
        "verify --json",
    ],
)  # fmt: skip
def test_every_command_says_in_the_same_way_that_no_stack_runs(
    command, tmp_path, monkeypatch, capsys
):
    for variable in ("REDIS_URL", "DATABASE_URL", "AWS_ENDPOINT_URL", "EMULATOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("FLASHSALE_MONITOR_PORT", str(free_port()))
    place = ENTRIES[command.split()[0]].place.partition(":")[0]
    monkeypatch.setattr(f"flashsale_local.cli.{place}.LOCAL", tmp_path)
    monkeypatch.setattr("sys.argv", ["flashsale", *command.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert ended.value.code == 1
    assert "The stack is down. No local stack was started here" in said
    assert "`flashsale up` starts the local stack" in said


def test_the_spike_says_in_the_same_way_that_no_stack_runs(tmp_path, monkeypatch):
    for variable in ("REDIS_URL", "DATABASE_URL", "AWS_ENDPOINT_URL", "EMULATOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(spike, "LOCAL", tmp_path)

    with pytest.raises(StackDown, match="No local stack was started here"):
        spike.spike()
