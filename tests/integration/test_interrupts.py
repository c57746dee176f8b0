"""Ctrl+C, a second command at once, and another checkout on the same ports: real signals."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.supervisor import Supervisor

NAMES = ("VALKEY", "POSTGRES", "EMULATOR", "EDGE", "RELAY", "EXPORTER", "PROMETHEUS", "MONITOR")
IN_FOLDER = [sys.executable, "-m", "tests.integration.in_folder"]
SERVERS = {"valkey", "postgres", "ministack"}
# A failed test must not hang.
PATIENCE = 120


@pytest.fixture
def environment():
    ports = {f"FLASHSALE_{name}_PORT": str(free_port()) for name in NAMES}
    own = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    return {**own, **ports, "COLUMNS": "200"}


@pytest.fixture
def checkouts():
    """A folder for checkouts. PostgreSQL's user may not enter pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(checkouts):
    folder = checkouts / "one" / ".local"
    yield folder
    Supervisor(folder).shutdown()


@contextmanager
def running(folder, environment, *arguments):
    """Start a command; give the process, and a function that interrupts it as Ctrl+C does."""
    with subprocess.Popen(
        [*IN_FOLDER, str(folder), *arguments],
        env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip

        def interrupt():
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=PATIENCE)
            return process.returncode, told

        try:
            yield process, interrupt
        finally:
            if process.poll() is None:
                process.kill()


def run(folder, environment, *arguments):
    return subprocess.run(
        [*IN_FOLDER, str(folder), *arguments],
        env=environment, cwd=ROOT, text=True, capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def said(text):
    return " ".join(text.replace("│", " ").split())


def test_an_interrupted_first_up_stops_what_it_started(folder, environment):
    with running(folder, environment, "up") as (process, interrupt):
        assert process.stdout.readline() == "the build begins\n"
        assert set(Stack(folder, environment).supervisor.info()) == SERVERS

        status, told = interrupt()

    assert status == 130
    assert "Interrupted. No server of the local stack runs." in told
    assert "Traceback" not in told
    assert not Stack(folder, environment).supervisor.running


def test_an_interrupt_says_what_still_runs(folder, environment):
    Stack(folder, environment).up(lambda _: None)

    with running(folder, environment, "up") as (process, interrupt):
        assert process.stdout.readline() == "the build begins\n"
        status, told = interrupt()

    assert status == 130
    assert "Interrupted. Still running: ministack, postgres, valkey. `make down`" in said(told)
    assert "Traceback" not in told
    assert set(Stack(folder, environment).supervisor.info()) == SERVERS


def test_the_live_page_ends_like_every_interrupted_command(folder, environment):
    stack = Stack(folder, environment)
    stack.up(lambda _: None)
    stack.target().save(folder)
    # Nothing is deployed to the emulator. With another one, the page only shows what there is.
    environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{free_port()}"

    with running(folder, environment, "monitor", "--no-open") as (process, _):
        assert process.stdout.readline().startswith("Live page: http"), process.stderr.read()
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        status = process.wait(PATIENCE)

    assert status == 130
    assert "Still running: ministack, postgres, valkey" in said(told)
    assert "Traceback" not in told


@pytest.mark.parametrize("second", ["up", "demo", "down"])
def test_a_second_command_at_once_names_the_first(folder, environment, second):
    with running(folder, environment, "up") as (process, interrupt):
        assert process.stdout.readline() == "the build begins\n"

        done = run(folder, environment, second)

        told = said(done.stderr)
        assert done.returncode == 1
        assert f"`flashsale up` (process {process.pid}) since " in told
        assert process.poll() is None, "the first one goes on"
        assert interrupt()[0] == 130
    assert run(folder, environment, "down").returncode == 0, "the lock has ended with its process"


def test_another_checkout_on_the_same_ports_is_named(checkouts, folder, environment):
    Stack(folder, environment).up(lambda _: None)
    other = checkouts / "two" / ".local"

    done = run(other, environment, "up")

    told = said(done.stderr)
    assert done.returncode == 1
    assert "Nothing was started" in told
    for name in ("VALKEY", "POSTGRES", "EMULATOR"):
        assert f"port {environment[f'FLASHSALE_{name}_PORT']} for" in told
        assert f"FLASHSALE_{name}_PORT=" in told
    assert told.count(f"of the stack in {folder}") == 3
    assert f"Run `make down` in {folder.parent}" in told
    assert "the build begins" not in done.stdout


def test_the_port_of_the_edge_is_checked_before_the_build(folder, environment):
    environment["FLASHSALE_EDGE_PORT"] = environment["FLASHSALE_VALKEY_PORT"]

    done = run(folder, environment, "up", "--edge", "asgi")

    assert done.returncode == 1
    assert "FLASHSALE_VALKEY_PORT and FLASHSALE_EDGE_PORT are both" in said(done.stderr)
    assert not Stack(folder, environment).supervisor.running
