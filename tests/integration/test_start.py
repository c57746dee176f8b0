"""The processes of the image, started with missing or wrong settings."""

import os
import socket
import subprocess
import sys

import pytest

from flashsale_local.paths import SOURCE_ROOTS
from flashsale_local.stack.program import free_port
from flashsale_server.edge import __main__ as edge

MODULES = {
    "edge": "flashsale_server.edge",
    "relay": "flashsale_server.edge.relay",
    "exporter": "flashsale_server.exporter",
}
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/flashsale-orders"
# Each server is a closed port: a process that starts does not end by itself.
SETTINGS = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": SOURCE_ROOTS,
    "AUTH": "none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "DATABASE_URL": "postgresql://flashsale@127.0.0.1:1/flashsale",
    "ORDERS_QUEUE_URL": QUEUE,
    "DEAD_LETTER_QUEUE_URL": QUEUE,
    "PARKING_QUEUE_URL": QUEUE,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "GRANIAN_HOST": "127.0.0.1",
    "GRANIAN_WORKERS": "2",
}


def run(process, **changes):
    """Run a process that must not start; None leaves a variable out."""
    changed = {"GRANIAN_PORT": str(free_port()), **SETTINGS, **changes}
    environment = {name: value for name, value in changed.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", MODULES[process]],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def assert_one_line(done, process, variable):
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"The {process} does not start: ")
    assert variable in line
    assert "it should " in line


@pytest.mark.parametrize("process", MODULES)
@pytest.mark.parametrize("variable", ["REDIS_URL", "DATABASE_URL", "AWS_DEFAULT_REGION"])
def test_a_missing_variable_is_named_in_one_line(process, variable):
    done = run(process, **{variable: None})

    assert_one_line(done, process, f"{variable} is not set")


@pytest.mark.parametrize("process", MODULES)
def test_what_sends_or_watches_orders_needs_their_queue(process):
    done = run(process, ORDERS_QUEUE_URL=None)

    assert_one_line(done, process, "ORDERS_QUEUE_URL is not set")


@pytest.mark.parametrize("process", MODULES)
@pytest.mark.parametrize(
    ("variable", "value"),
    [("REDIS_URL", "http://host"), ("AWS_ENDPOINT_URL", "localstack"), ("DATABASE_AUTH", "no")],
)
def test_a_wrong_value_is_named_in_one_line(process, variable, value):
    done = run(process, **{variable: value})

    assert_one_line(done, process, variable)


@pytest.mark.parametrize("process", MODULES)
def test_a_wrong_region_is_not_called_a_wrong_endpoint(process):
    done = run(process, AWS_DEFAULT_REGION="eu west 1", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert_one_line(done, process, "AWS_DEFAULT_REGION is malformed")


def test_what_only_boto3_can_tell_is_passed_on():
    done = run("relay", AWS_MAX_ATTEMPTS="many")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("The relay does not start: boto3 rejects the AWS_… variables: ")
    assert "'many'" in line


JWT = {
    "AUTH": "jwt",
    "JWT_ISSUER": "https://issuer.example/",
    "JWT_AUDIENCE": "flashsale",
}


@pytest.mark.parametrize(
    ("variable", "changes"),
    [
        ("AUTH", {"AUTH": "maybe"}),
        ("JWT_JWKS", {**JWT, "JWT_JWKS": "{}"}),
        ("RATE_LIMIT_USER", {"RATE_LIMIT_USER": "many"}),
        ("CORS_ORIGINS", {"CORS_ORIGINS": "*"}),
        ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "0.0.0.0/0"}),
        ("SHOP_SIGN_IN_URL", {"SHOP_SIGN_IN_URL": "javascript:alert(1)"}),
        ("SHOP_PAY_URL", {"SHOP_PAY_URL": "http://pay.example.org"}),
        ("GRANIAN_HOST", {"GRANIAN_HOST": "localhost"}),
        ("GRANIAN_PORT", {"GRANIAN_PORT": "99999999"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_edge_checks_what_its_web_workers_read(variable, changes):
    done = run("edge", **changes)

    assert_one_line(done, "edge", variable)


def test_the_edge_says_that_its_port_is_taken():
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = str(squatter.getsockname()[1])

        done = run("edge", GRANIAN_PORT=port)

    assert_one_line(done, "edge", f"GRANIAN_PORT {port} of 127.0.0.1 cannot be used: Address")


def test_granian_rejects_its_own_variables_without_a_traceback():
    done = run("edge", GRANIAN_WORKERS="0")

    assert done.returncode == 2
    assert "'--workers': 0" in done.stderr
    assert len(done.stderr.splitlines()) <= 4


def test_wrong_settings_keep_their_secrets():
    done = run("relay", REDIS_URL="redis://:hidden/word@127.0.0.1:1/0")

    assert_one_line(done, "relay", "REDIS_URL is malformed")
    assert "hidden" not in done.stderr


def test_the_folder_for_metrics_has_none_of_earlier_workers(tmp_path):
    for name in ("worker-0.db", "worker-17.db", "worker.db", "notes.txt"):
        (tmp_path / name).touch()

    settings = edge.settings({"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)})

    assert settings["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"worker.db", "notes.txt"}


def test_without_the_variable_the_folder_is_a_temporary_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    folder = edge.settings({})["PROMETHEUS_MULTIPROC_DIR"]

    assert [str(path) for path in tmp_path.iterdir()] == [folder]


def test_without_any_writable_folder_the_edge_starts(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/proc/no-folder-can-be-made-here")

    assert edge.settings({})["PROMETHEUS_MULTIPROC_DIR"] == ""
