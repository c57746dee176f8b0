"""The command `flashsale`, run in a subprocess."""

import os
import pwd
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack import postgres
from flashsale_local.stack.exporter import exporter
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.watchers import start_or_leave_out
from tests.helpers.locks import is_locked

FLASHSALE = Path(sys.executable).parent / "flashsale"
COMMANDS = [
    ["up"], ["down"], ["status"], ["deploy"], ["logs"], ["seed"], ["open"], ["verify"], ["demo"],
    ["dlq", "ls"], ["dlq", "peek"], ["dlq", "redrive"], ["dlq", "cancel"], ["dlq", "discard"],
    ["exporter"], ["pause"], ["resume"], ["end"], ["restock"], ["cancel"], ["audit"], ["doctor"],
]  # fmt: skip
NOT_STARTED = {"DATABASE_URL": "x", "AWS_ENDPOINT_URL": "x"}


def flashsale(*arguments, **environment):
    return subprocess.run(
        [FLASHSALE, *arguments],
        env={**os.environ, "COLUMNS": "200", "TERM": "dumb", **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def stores(migrated):
    return {"REDIS_URL": migrated.redis_url, "DATABASE_URL": migrated.database_url}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(command):
    done = flashsale(*command, "--help")

    assert done.returncode == 0
    assert f"Example: flashsale {' '.join(command)}" in done.stdout


def test_a_taken_port_is_named_with_the_way_out_and_nothing_runs(tmp_path):
    ports = {
        "FLASHSALE_VALKEY_PORT": str(free_port()),
        "FLASHSALE_POSTGRES_PORT": str(free_port()),
        "FLASHSALE_EMULATOR_PORT": str(free_port()),
    }
    stack = Stack(tmp_path, ports)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", int(ports["FLASHSALE_POSTGRES_PORT"])))
        squatter.listen()

        with pytest.raises(Problem) as caught:
            stack.up(lambda _: None)

    assert f"port {ports['FLASHSALE_POSTGRES_PORT']}" in caught.value.cause
    assert "FLASHSALE_POSTGRES_PORT" in caught.value.way_out
    assert not stack.supervisor.running


def test_a_server_that_ends_at_once_is_named_with_its_log(tmp_path):
    ports = {"FLASHSALE_VALKEY_PORT": str(free_port())}
    stack = Stack(tmp_path, {**ports, **NOT_STARTED})
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "appendonlydir").write_text("not a folder")

    with pytest.raises(Problem) as caught:
        stack.up(lambda _: None)

    assert "valkey ended" in caught.value.cause
    assert caught.value.log == tmp_path / "logs" / "valkey.log"
    assert "appendonlydir" in caught.value.log_tail
    assert not stack.supervisor.running


def test_a_server_is_prepared_before_supervisord_reads_its_section(tmp_path):
    """Root's user for PostgreSQL does not exist on a new machine before that."""
    stack = Stack(tmp_path, {"FLASHSALE_VALKEY_PORT": str(free_port()), **NOT_STARTED})
    running: list[bool] = []
    prepare = stack.redis.prepare

    def watched() -> None:
        running.append(stack.supervisor.running)
        prepare()

    stack.programs = [replace(stack.redis, prepare=watched)]

    stack.up(lambda _: None)

    stack.down()
    assert running[0] is False


def test_root_never_opens_a_private_home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "checkout").mkdir(parents=True)
    home.chmod(0o700)
    user = pwd.struct_passwd(("alice", "x", 1000, 1000, "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [user])

    with pytest.raises(Problem, match="private home folder"):
        postgres._refuse_private_homes(home / "checkout" / "data")

    assert home.stat().st_mode & 0o777 == 0o700


def test_two_checkouts_do_not_create_the_user_of_postgresql_at_once(tmp_path, monkeypatch):
    locked = []

    class Server:
        def __init__(self, *_, **__):
            locked.append(is_locked(Path("/etc/passwd")))

        def ensure_pgdata_inited(self):
            pass

    monkeypatch.setattr(postgres, "PostgresServer", Server)

    postgres._initialize(tmp_path / "one")
    postgres._initialize(tmp_path / "two")  # the lock was released

    assert locked == [True, True]


def test_servers_with_given_urls_are_used_and_not_started(tmp_path):
    stack = Stack(
        tmp_path,
        {
            "REDIS_URL": "redis://r",
            "DATABASE_URL": "postgresql://d",
            "AWS_ENDPOINT_URL": "http://e",
        },
    )

    assert stack.programs == []
    assert (stack.redis_url, stack.database_url, stack.endpoint_url) == (
        "redis://r",
        "postgresql://d",
        "http://e",
    )


@pytest.mark.parametrize("prefix", ["{p}-", "a/b-", "a b-", "ü-", "x" * 63])
def test_seed_makes_only_products_that_requests_can_name(stores, prefix):
    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}

    refused = flashsale("seed", "--users", "1", "--prefix", prefix, **stores, **endpoint)

    assert refused.returncode == 1
    assert f"'{prefix}01' cannot be the id of a product" in " ".join(refused.stderr.split())


def test_seed_open_and_buy_are_idempotent(stores, tmp_path, settings):
    prefix = f"cli-{os.getpid()}-"
    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    environment = {**stores, **endpoint}

    first = flashsale("seed", "--users", "5", "--products", "2", "--prefix", prefix, **environment)
    again = flashsale("seed", "--users", "5", "--products", "2", "--prefix", prefix, **environment)
    opened = flashsale("open", f"{prefix}01", **environment)
    reopened = flashsale("open", f"{prefix}01", **environment)
    unknown = flashsale("open", "no-such", **environment)

    assert "2 products (2 new" in first.stdout
    assert "2 products (0 new" in again.stdout
    assert "on sale with 100 units" in opened.stdout
    assert "on sale already" in reopened.stdout
    assert unknown.returncode == 1
    assert "No such product: no-such" in unknown.stderr


def test_a_wrong_queue_name_is_rejected(stores):
    done = flashsale("dlq", "peek", "orders", AWS_ENDPOINT_URL="http://127.0.0.1:1", **stores)

    assert done.returncode == 1
    assert "Use dlq, parking or payments-dlq" in done.stderr


def test_a_store_that_is_down_is_one_message_and_no_traceback():
    done = flashsale(
        "open",
        REDIS_URL=f"redis://127.0.0.1:{free_port()}",
        DATABASE_URL=f"postgresql://postgres@127.0.0.1:{free_port()}/postgres",
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
    )

    assert done.returncode == 1
    assert "PostgreSQL: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("store", ["REDIS_URL", "DATABASE_URL"])
async def test_a_store_that_rejects_the_user_is_not_down(stores, store, new_product):
    product_id = await new_product(1)
    wrong = stores[store].replace("postgres@", "").replace("://", "://nobody:wrong@")

    own = {**stores, store: wrong, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}

    done = flashsale("open", product_id, **own)

    assert done.returncode == 1
    assert "A store rejects the user or the password." in done.stderr, done.stderr
    assert "The stack is down" not in done.stderr


def test_a_taken_port_for_monitoring_is_reported_and_not_fatal(stack, capsys, monkeypatch):
    monkeypatch.setattr(Target, "queues", dict.fromkeys(("orders", "dlq", "parking"), "http://q"))
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        program = exporter(squatter.getsockname()[1], Target("", "", ""))

        assert start_or_leave_out(stack, program) == ""

    assert "FLASHSALE_EXPORTER_PORT" in capsys.readouterr().err
