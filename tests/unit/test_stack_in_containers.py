"""Commands know by themselves whether the stack runs in containers."""

import subprocess

import pytest

from flashsale_local.cli import status
from flashsale_local.deployment.target import Target
from flashsale_local.live_page.postgres_switch import read_only_reason
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem
from flashsale_local.stack import compose, left_running, start
from flashsale_local.stack.containers import has_volumes, in_containers, record_start, record_stop
from flashsale_local.stack.supervisor import Supervisor
from tests.unit.containers import Checkout

UP = "compose up --detach --wait"
DOWN = "compose down --remove-orphans"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    return Checkout(tmp_path, monkeypatch)


@pytest.fixture
def running(checkout):
    record_start(checkout.local)
    return checkout


@pytest.fixture
def without_docker(checkout):
    supervisor = Supervisor(checkout.local)
    supervisor.start([])
    yield checkout
    supervisor.shutdown()


def test_a_start_that_fails_is_taken_down_without_a_word_about_docker(checkout, monkeypatch):
    monkeypatch.setenv("DOCKER", "1")
    checkout.break_docker("up")

    assert "`make down` removes what has started" in checkout.run("up").exception.way_out
    assert checkout.calls == [f"{UP} valkey postgres localstack"]
    monkeypatch.delenv("DOCKER")
    assert checkout.run("down").output == "The stack is down.\n"
    assert checkout.calls == [DOWN]
    assert checkout.run("down").output == "No stack was running.\n"
    assert checkout.calls == []


def test_a_start_is_recorded_before_the_first_container(checkout, monkeypatch):
    recorded = []
    monkeypatch.setenv("DOCKER", "1")
    monkeypatch.setattr(compose, "up", lambda *_: recorded.append(in_containers(checkout.local)))
    monkeypatch.setattr(start, "access_settings_of", lambda _: {})
    monkeypatch.setattr(start, "deploy_locally", lambda *_, **__: None)

    target = start.start()

    assert recorded == [True, True]
    assert Target.load(checkout.local) == target
    assert target.grafana_url == "http://127.0.0.1:3000"


def test_down_that_fails_forgets_nothing(running):
    running.break_docker("down")

    assert "Start Docker" in running.run("down").exception.way_out
    assert in_containers(running.local)


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_volumes_are_deleted_also_after_the_containers(running, stopped):
    if stopped:
        record_stop(running.local, volumes=False)

    assert running.run("down", "--volumes").exit_code == 0
    assert running.calls == [f"{DOWN} --volumes"]
    assert not has_volumes(running.local)
    running.run("down", "--volumes")
    assert running.calls == [], "the stack of this checkout has no volumes"


def test_docker_is_asked_by_the_variable_where_the_record_is_lost(checkout, monkeypatch):
    monkeypatch.setenv("DOCKER", "1")

    checkout.run("down", "--volumes")

    assert checkout.calls == [f"{DOWN} --volumes"]


def test_make_clean_deletes_the_volumes_first(tmp_path):
    flashsale = tmp_path / "flashsale"
    flashsale.write_text('#!/bin/sh\nls -d .local\necho "flashsale $@"\n')
    flashsale.chmod(0o755)
    (tmp_path / ".local").mkdir()
    make = ["make", "--no-print-directory", "-C", tmp_path, "-f", ROOT / "Makefile", "clean"]

    said = subprocess.run([*make, f"BIN={tmp_path}"], capture_output=True, text=True, check=True)

    assert said.stdout.splitlines()[:2] == [".local", "flashsale down --volumes"]
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize(("docker", "folder"), [("1", "localstack"), ("", "emulator")])
def test_make_chooses_the_emulator_that_containers_have(docker, folder, monkeypatch):
    monkeypatch.delenv("EMULATOR", raising=False)
    monkeypatch.setenv("DOCKER", docker)
    asked = ["make", "-C", ROOT, "--print-data-base", "--dry-run", "help"]

    printed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    assert f"EMULATOR_FOLDER := {folder}" in printed.splitlines()


def test_containers_are_not_started_beside_a_stack_without_docker(without_docker, monkeypatch):
    monkeypatch.setenv("DOCKER", "1")

    refused = without_docker.run("up").exception

    assert "runs without Docker, and DOCKER is set" in refused.cause
    assert without_docker.calls == []
    assert not in_containers(without_docker.local)


@pytest.mark.parametrize("command", ["up", "demo"])
def test_no_server_is_started_beside_a_stack_in_containers(running, command):
    refused = running.run(command).exception

    assert "runs in containers, and DOCKER is not set" in refused.cause
    assert not Supervisor(running.local).running


def test_down_stops_a_stack_without_docker_whatever_the_shell_says(without_docker, monkeypatch):
    monkeypatch.setenv("DOCKER", "1")

    assert without_docker.run("down").output == "The stack is down.\n"
    assert not Supervisor(without_docker.local).running
    assert without_docker.calls == []


def test_what_measures_processes_refuses_containers(checkout, monkeypatch):
    monkeypatch.setenv("DOCKER", "1")

    with pytest.raises(Problem, match="processes of this machine"):
        start.start(as_processes=True)
    assert checkout.calls == []


def test_a_deployment_by_hand_refuses_containers(running):
    compose.target().save(running.local)

    assert "DOCKER=1 make up" in running.run("deploy").exception.way_out


def test_status_has_all_servers_with_their_containers(running):
    names = ["valkey", "postgres", "localstack", "edge", "relay",
             "exporter", "prometheus", "grafana"]  # fmt: skip
    running.show(**dict.fromkeys(names, 1))

    servers = status._servers(compose.target())

    assert [one.name for one in servers] == names
    assert [one.container for one in servers] == [f"flashsale-{name}-1" for name in names]


def test_the_addresses_of_what_watches_are_shown(running, capsys, monkeypatch):
    monkeypatch.setenv("FLASHSALE_GRAFANA_PORT", "3001")
    monkeypatch.setattr(Target, "edges", {})

    left_running.show_addresses(compose.target())

    shown = capsys.readouterr().out
    for address in ("127.0.0.1:3001  (Grafana)", "9090  (Prometheus)", "9464/metrics  (exporter)"):
        assert address in shown


def test_an_interrupt_says_that_containers_may_run(running, capsys):
    left_running.tell_what_runs()

    assert "Containers may still run. `make down` stops them." in capsys.readouterr().err


def test_the_log_of_a_container_is_docker_s(running):
    running.show(edge=8000)

    running.run("logs", "edge", "--minutes", "3", "--follow")

    wanted = "--timestamps --since 3m --tail 100 --follow flashsale-edge-1"
    assert running.calls[-1] == f"logs {wanted}"


def test_an_unknown_log_names_those_that_exist(checkout):
    assert "edge" not in checkout.run("logs", "edge").exception.way_out
    record_start(checkout.local)
    checkout.show(edge=8000, relay=9465)
    assert checkout.run("logs", "egde").exception.way_out.endswith("migrate, edge, relay.")
    assert "--follow only" in checkout.run("logs", "edge", "--json").exception.way_out


def test_the_access_settings_of_a_container_are_those_that_it_has(running):
    assert compose.environment_of("edge") == {"AUTH": "jwt", "JWT_SECRET": "a=b"}


def test_docker_that_does_not_answer_is_named(running):
    running.break_docker("ps")

    with pytest.raises(Problem, match="does not report them: Cannot connect"):
        compose.containers()


@pytest.mark.parametrize(
    ("system", "host", "given", "seen"),
    [
        ("linux", "unix:///run/user/7/docker.sock", None, "/run/user/7/docker.sock"),
        ("linux", "unix:///run/user/7/docker.sock", "/other.sock", "/other.sock"),
        ("linux", "tcp://10.0.0.1:2375", None, None),
        ("darwin", "unix:///Users/me/.colima/default/docker.sock", None, None),
    ],
)
def test_localstack_gets_the_engines_socket(checkout, monkeypatch, system, host, given, seen):
    monkeypatch.setattr(compose.sys, "platform", system)
    monkeypatch.setenv("DOCKER_HOST", host)
    if given:
        monkeypatch.setenv("DOCKER_SOCK", given)
    else:
        monkeypatch.delenv("DOCKER_SOCK", raising=False)

    compose.containers()

    assert checkout.environment.get("DOCKER_SOCK") == seen


def test_the_emulator_of_a_saved_address_is_the_saved_one(running, monkeypatch):
    compose.target().save(running.local)
    monkeypatch.setenv("EMULATOR", "ministack")  # as `make monitor` does

    assert Target.load(running.local).emulator == "localstack"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert Target.load(running.local).emulator == "ministack"


def test_the_live_page_of_containers_only_shows(running, monkeypatch):
    target = compose.target()
    target.save(running.local)
    monkeypatch.setattr("flashsale_local.live_page.postgres_switch._listens", lambda _: True)

    assert "runs in containers" in read_only_reason(running.local, target)
