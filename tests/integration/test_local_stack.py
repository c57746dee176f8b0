"""Starting and stopping a local stack with its own servers."""

import json
import sys
from dataclasses import replace

import psutil
import pytest
from prometheus_client import CollectorRegistry, start_http_server

from flashsale_local.stack.program import Program, free_port
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import with_running_programs
from flashsale_local.stack.watchers import write_scrape_targets
from tests.helpers.support import eventually

NOT_STARTED = {"DATABASE_URL": "postgresql://d", "AWS_ENDPOINT_URL": "http://e"}
# Ignores SIGTERM.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"


@pytest.fixture
def stack(tmp_path):
    ports = {f"FLASHSALE_{name}_PORT": str(free_port()) for name in ("VALKEY", "RELAY")}
    stack = Stack(tmp_path, {**ports, **NOT_STARTED})
    stack.up(lambda _: None)
    yield stack
    stack.down()


def _sleeper(name, prologue="print(flush=True)"):
    command = [sys.executable, "-c", f"{prologue}; import time; time.sleep(600)"]
    return Program(name, command, ready=lambda: True)


def test_after_stopping_everything_nothing_runs(stack):
    stack.add(_sleeper("edge", STUBBORN))
    edge = psutil.Process(stack.supervisor.info()["edge"]["pid"])
    log = _sleeper("edge").log(stack.directory)
    eventually(lambda: log.exists() and log.stat().st_size)

    stack.supervisor._call("shutdown")

    assert eventually(lambda: stack.supervisor.info() == {})
    assert edge.is_running(), "the stack waits for this process"
    edge.kill()
    eventually(lambda: not _runs(stack))


def _runs(stack):
    return stack.supervisor._socket.exists()


def test_a_process_that_still_runs_stays_listed(stack):
    stack.add(_sleeper("edge"))
    saved = {"asgi_url": "http://127.0.0.1:8000", "exporter_url": "http://127.0.0.1:9464"}
    (stack.directory / "target.json").write_text(json.dumps(saved))

    target = with_running_programs(stack, stack.target())

    assert target.asgi_url == "http://127.0.0.1:8000"
    assert target.exporter_url == "", "this one does not run"
    assert target.redis_url == stack.redis_url


def test_prometheus_scrapes_the_edge_and_its_relay(stack):
    target = stack.target()

    write_scrape_targets(stack, target)
    before = _jobs(stack)
    server, thread = start_http_server(stack.relay_port, "127.0.0.1", CollectorRegistry())
    write_scrape_targets(stack, replace(target, asgi_url="http://127.0.0.1:8000"))

    server.shutdown()
    server.server_close()
    thread.join()
    assert before == {"exporter"}
    assert _jobs(stack) == {"exporter", "edge", "relay"}


def _jobs(stack):
    path = stack.directory / "prometheus" / "targets" / "stack.yml"
    return {one["labels"]["job"] for one in json.loads(path.read_text())}
