"""What `flashsale doctor` finds of Docker and of containers."""

import socket

import pytest

from flashsale_local.stack.containers import record_start
from flashsale_local.stack.doctor.docker import find_containers
from flashsale_local.stack.doctor.finding import Level
from flashsale_local.stack.doctor.leftovers import check_ports
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.unit.containers import Checkout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    return Checkout(tmp_path, monkeypatch)


@pytest.fixture
def running(checkout):
    record_start(checkout.local)
    return checkout


def test_doctor_says_nothing_of_docker_without_containers(checkout):
    assert find_containers(checkout.local, docker=False).findings == []
    assert checkout.calls == []


def test_doctor_knows_the_ports_of_containers(running):
    running.show(valkey=16379, edge=0)

    found = find_containers(running.local, docker=True)

    texts = [finding.text for finding in found.findings]
    assert texts[1:] == ["edge is exited; `flashsale logs edge` may tell why", "run: valkey"]
    assert found.ports == {16379: "flashsale-valkey-1"}


def test_doctor_calls_a_port_of_a_container_no_problem(tmp_path):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        stack = Stack(tmp_path, {"FLASHSALE_VALKEY_PORT": str(port)})

        found = check_ports(stack, free_port(), {port: "flashsale-valkey-1"})

        (text,) = [one.text for one in found if one.text.startswith(str(port))]
        assert text == f"{port}: container flashsale-valkey-1"


@pytest.mark.parametrize("word", ["version", "ps"])
def test_doctor_names_what_is_wrong_with_docker(running, word):
    running.break_docker(word)

    *_, last = find_containers(running.local, docker=True).findings

    assert last.level is Level.PROBLEM
    assert last.check == "Docker"


def test_doctor_names_a_stack_that_runs_the_other_way(running):
    levels = [
        one.level for one in find_containers(running.local, docker=False).findings if one.way_out
    ]

    assert levels == [Level.PROBLEM]
