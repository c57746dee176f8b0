"""A stack recognizes its own addresses, and keeps the ports with which it runs."""

import pytest

from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack

OTHERS = {"DATABASE_URL": "postgresql://d", "AWS_ENDPOINT_URL": "http://e"}


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def running(tmp_path, port):
    """A stack that an earlier command has started on a port of its own."""
    stack = Stack(tmp_path, {"FLASHSALE_VALKEY_PORT": str(port), **OTHERS})
    stack.up(lambda _: None)
    stack.target().save(tmp_path)
    yield stack
    stack.down()


def names(stack):
    return [program.name for program in stack.programs]


def test_a_url_that_is_the_stacks_own_is_no_other_server(tmp_path, port):
    ports = {"FLASHSALE_VALKEY_PORT": str(port), "FLASHSALE_EMULATOR_PORT": "4567"}

    own = Stack(tmp_path, {**ports, "REDIS_URL": f"redis://127.0.0.1:{port}/0"})
    emulator = Stack(tmp_path, {**ports, "AWS_ENDPOINT_URL": "http://127.0.0.1:4567/"})
    other = Stack(tmp_path, {**ports, "AWS_ENDPOINT_URL": "http://127.0.0.1:4568"})

    assert names(own) == names(emulator) == ["valkey", "postgres", "ministack"]
    assert names(other) == ["valkey", "postgres"]


def test_a_running_server_keeps_its_port_without_the_variable(running, tmp_path, port):
    again = Stack(tmp_path, OTHERS)

    again.up(lambda _: None)

    assert again.redis_url == f"redis://127.0.0.1:{port}/0"


def test_after_a_stop_the_usual_port_is_used_again(running, tmp_path):
    running.down()

    assert Stack(tmp_path, OTHERS).redis.port == 16379


def test_an_address_of_the_shell_is_recognized_after_a_stop(running, tmp_path):
    """The shell has evaluated `flashsale env` on a stack whose ports were moved once."""
    running.down()

    again = Stack(tmp_path, {**OTHERS, "REDIS_URL": running.redis_url})

    assert names(again) == ["valkey"]
    assert again.redis.port == running.redis.port


def test_a_server_that_was_given_stays_another_one(running, tmp_path):
    again = Stack(tmp_path, OTHERS)

    assert names(again) == ["valkey"]
    assert again.database_url == OTHERS["DATABASE_URL"]
