"""What `flashsale doctor` finds, and what it says of it."""

import json
import os
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flashsale_local.cli import app
from flashsale_local.cli import doctor as cli
from flashsale_local.stack.doctor import leftovers, machine
from flashsale_local.stack.doctor.finding import Level
from flashsale_local.stack.doctor.leftovers import check_leftovers, check_ports
from flashsale_local.stack.doctor.variables import check_variables
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack

VARIABLES = [
    "VALKEY", "POSTGRES", "EMULATOR", "EDGE", "MONITOR", "RELAY", "EXPORTER", "PROMETHEUS",
    "PROVIDER", "SIGN_IN",
]  # fmt: skip


@pytest.fixture
def ports():
    return {f"FLASHSALE_{name}_PORT": str(free_port()) for name in VARIABLES}


@pytest.fixture
def stack(tmp_path, ports):
    return Stack(tmp_path, ports)


def levels(findings):
    return [finding.level for finding in findings]


@pytest.mark.parametrize("version", [(3, 10), (3, 14)], ids=str)
def test_another_python_prevents_a_stack(version):
    assert machine._python(version).level is Level.PROBLEM


def test_little_disk_warns_and_none_prevents(tmp_path):
    found = [machine._disk(tmp_path, free) for free in (10 * machine.GIB, machine.GIB, 1000)]

    assert levels(found) == [Level.OK, Level.WARNING, Level.PROBLEM]
    assert "make clean" in found[2].way_out


def test_a_missing_environment_of_the_emulator_names_make_setup(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "EMULATOR_VENV", tmp_path)
    monkeypatch.setattr(machine, "LOCALSTACK_VENV", tmp_path)

    for emulator, way_out in (("", "`make setup`"), ("localstack", "`EMULATOR=localstack make")):
        found = machine._environment({"EMULATOR": emulator})
        assert found.level is Level.PROBLEM
        assert way_out in found.way_out


def test_a_network_that_does_not_answer_only_warns():
    found = machine._network({"PIP_INDEX_URL": f"http://127.0.0.1:{free_port()}/simple"})

    assert found.level is Level.WARNING
    assert "first build only" in found.way_out


@pytest.mark.parametrize(
    ("variables", "level", "text"),
    [
        ({"REDIS_URL": "redis://u:s3cret@10.0.0.1"}, Level.WARNING, "redis://u@10.0.0.1"),
        ({"AWS_ENDPOINT_URL": "http://10.0.0.1"}, Level.WARNING, "start no ministack"),
        ({"AWS_ENDPOINT_URL_SQS": "http://10.0.0.1"}, Level.PROBLEM, "AWS_ENDPOINT_URL_SQS"),
        ({"AWS_PROFILE": "prod"}, Level.WARNING, "AWS_PROFILE"),
        ({"EMULATOR": "aws"}, Level.PROBLEM, "AWS itself"),
        ({"FLASHSALE_EDGE_PORT": "http"}, Level.PROBLEM, "FLASHSALE_EDGE_PORT is 'http'"),
        ({"AUTH": "yes"}, Level.PROBLEM, "AUTH is 'yes'"),
        ({"JWT_JWKS_URL": "https://x"}, Level.PROBLEM, "JWT_JWKS_URL"),
        ({"HTTP_PROXY": "http://proxy:3128"}, Level.WARNING, "go to proxy as well"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "x, 127.0.0.1"}, Level.OK, "none"),
        ({}, Level.OK, "none"),
    ],
    ids=[
        "redis", "endpoint", "one-service", "profile", "aws", "port", "auth", "issuer", "proxy",
        "no-proxy", "nothing",
    ],
)  # fmt: skip
def test_each_conflicting_variable_is_named(variables, level, text, tmp_path, ports):
    known = {name: value for name, value in variables.items() if name.endswith("_URL")}

    (found,) = check_variables(variables, Stack(tmp_path, {**ports, **known}))

    assert found.level is level
    assert text in found.text
    assert "s3cret" not in found.text + found.way_out


def test_addresses_of_the_stack_itself_are_no_conflict(tmp_path, ports):
    own = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['FLASHSALE_EMULATOR_PORT']}"}

    (found,) = check_variables(own, Stack(tmp_path, {**ports, **own}))

    assert (found.level, found.text) == (
        Level.OK,
        "AWS_ENDPOINT_URL is this stack's own ministack",
    )


def test_a_taken_port_is_named_with_its_process(stack, ports):
    with (
        socket.create_server(("127.0.0.1", int(ports["FLASHSALE_POSTGRES_PORT"]))),
        socket.create_server(("127.0.0.1", int(ports["FLASHSALE_RELAY_PORT"]))),
    ):
        free, needed, optional = check_ports(stack, free_port())

    assert free.level is Level.OK
    assert needed.level is Level.PROBLEM
    assert f"for postgres: process {os.getpid()}" in needed.text
    assert "FLASHSALE_POSTGRES_PORT" in needed.way_out
    assert optional.level is Level.WARNING, "the stack runs without it"


def test_processes_whose_supervisord_has_died_are_found(stack):
    variables = {**os.environ, "SUPERVISOR_SERVER_URL": stack.supervisor.url}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as left:
        left.stdout.readline()
        found, _ = check_leftovers(stack)
        left.communicate(b"\n")

    assert found.level is Level.PROBLEM
    assert found.way_out == f"`kill {left.pid}`"
    after, _ = check_leftovers(stack)
    assert after.level is Level.OK


def test_stale_pid_files_are_found(stack):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (stack.directory / "supervisord.pid").write_text(f"{ended.pid}\n")
    (stack.directory / "postgres").mkdir()
    (stack.directory / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/data\n")

    stale, foreign, _ = check_leftovers(stack)

    assert stale.level is Level.WARNING
    assert foreign.level is Level.PROBLEM, "PostgreSQL takes this process for itself"
    assert "rm " in foreign.way_out


def test_a_build_that_is_older_than_its_sources_is_found(tmp_path):
    built, source = tmp_path / ".aws-sam/build/template.yaml", tmp_path / "lua/claim.lua"
    assert leftovers._build(tmp_path).level is Level.OK
    for path, when in ((built, 200), (source, 100)):
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (when, when))
    assert leftovers._build(tmp_path).level is Level.OK
    os.utime(source, (300, 300))

    found = leftovers._build(tmp_path)

    assert found.level is Level.WARNING
    assert "lua/claim.lua" in found.text


@pytest.fixture
def run(tmp_path, monkeypatch, ports):
    monkeypatch.setattr(cli, "LOCAL", tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}")
    for name, value in ports.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(app, ["doctor", *arguments])


def test_the_status_is_1_only_if_something_prevents_up(run, ports):
    good = run("--json")
    with socket.create_server(("127.0.0.1", int(ports["FLASHSALE_VALKEY_PORT"]))):
        bad = run("--json")

    assert good.exit_code == 0, good.output
    assert json.loads(good.stdout)["problems"] == 0
    assert bad.exit_code == 1
    (found,) = [one for one in json.loads(bad.stdout)["findings"] if one["level"] == "problem"]
    assert (found["check"], set(found)) == ("ports", {"level", "check", "text", "way_out"})


def test_each_line_has_a_sign_and_the_way_out_below(run, ports):
    with socket.create_server(("127.0.0.1", int(ports["FLASHSALE_VALKEY_PORT"]))):
        shown = run().stdout.splitlines()

    (index,) = [n for n, line in enumerate(shown) if line.startswith("✗ ports ")]
    assert shown[index + 1].strip().startswith("→ ")
    assert any(line.startswith("! network ") for line in shown)
    assert any(line.startswith("✓ Python ") for line in shown)
