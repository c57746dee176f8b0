"""Ports that are taken: all are named at once, each with its process and its variable."""

import os
import socket

import pytest

from flashsale_local.problems import Problem
from flashsale_local.stack import port_holders, program
from flashsale_local.stack.port_holders import Holder, Port, holders, is_free, refuse_taken
from flashsale_local.stack.program import free_port


@pytest.fixture
def taken():
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        yield first.getsockname()[1], second.getsockname()[1]


def test_every_taken_port_is_named_with_process_and_variable(taken):
    wanted = [
        Port("valkey", taken[0], "FLASHSALE_VALKEY_PORT"),
        Port("postgres", free_port(), "FLASHSALE_POSTGRES_PORT"),
        Port("edge", taken[1], "FLASHSALE_EDGE_PORT"),
    ]

    with pytest.raises(Problem) as caught:
        refuse_taken(wanted)

    for port, server in zip(taken, ("valkey", "edge"), strict=True):
        assert f"port {port} for {server}: process {os.getpid()} (" in caught.value.cause
    assert "postgres" not in caught.value.cause
    export = caught.value.way_out.splitlines()[-1]
    assert export.startswith("export FLASHSALE_VALKEY_PORT=")
    assert "FLASHSALE_EDGE_PORT=" in export
    moved = {int(pair.partition("=")[2]) for pair in export.split()[1:]}
    assert all(is_free(port) for port in moved)


def test_free_ports_are_no_problem():
    refuse_taken([Port("valkey", free_port(), "FLASHSALE_VALKEY_PORT")])


def test_no_port_is_named_twice_before_it_is_used(monkeypatch):
    monkeypatch.setattr(program, "PORTS", program.PORTS[:100])

    ports = [free_port() for _ in range(50)]

    assert len(set(ports)) == 50


def test_two_servers_on_one_port_are_refused():
    port = free_port()

    with pytest.raises(Problem, match=f"A_PORT and B_PORT are both {port}"):
        refuse_taken([Port("a", port, "A_PORT"), Port("b", port, "B_PORT")])


def test_a_process_that_the_system_hides_is_said_to_be_hidden(taken, monkeypatch):
    def deny(_):
        raise port_holders.psutil.AccessDenied

    monkeypatch.setattr(port_holders.psutil, "net_connections", deny)

    assert holders(taken) == {}
    assert str(Holder()) == "a process that this user may not see"
