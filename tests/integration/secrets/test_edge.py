"""Output and answers of the ASGI edge and the relay process."""

import json
import subprocess
import sys

import httpx
import pytest

from flashsale_local.paths import ROOT
from flashsale_local.stack.edge import SERVE
from flashsale_local.stack.program import free_port
from tests.helpers.support import eventually
from tests.integration.secrets.failures import (
    REQUESTS,
    assert_no_internals,
    assert_no_secret,
    failures,
    headers,
)


@pytest.fixture
def edge(environment, tmp_path):
    """Return a function that starts the ASGI edge and its relay, with access to their output."""
    running, log = [], tmp_path / "edge.log"

    def start(changes):
        port = free_port()
        folder = tmp_path / "metrics"
        folder.mkdir()
        changed = {
            **environment,
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "GRANIAN_HOST": "127.0.0.1",
            "GRANIAN_PORT": str(port),
            "GRANIAN_WORKERS": "1",
            **changes,
        }
        for command in (SERVE, ["-m", "flashsale_server.edge.relay"]):
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, *command],
                    env=changed, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
            running.append(process)
        return f"http://127.0.0.1:{port}", log

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=30)


def answering(url):
    try:
        return httpx.get(f"{url}/openapi.json").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize(
    "failure",
    [
        "tokens are needed",
        "Redis refuses the password",
        "a % in PostgreSQL's password",
        "a bug: no such table",
        "SQS is down",
    ],
)
def test_the_edge_keeps_secrets_and_internals(environment, edge, on_sale, failure):
    url, log = edge(failures(environment)[failure])
    eventually(lambda: answering(url))

    answers = []
    with httpx.Client(base_url=url, timeout=30) as http:
        for method, path, body, token, key in REQUESTS:
            content = json.dumps(body) if body else None
            answer = http.request(method, path, content=content, headers=headers(token, key))
            answers.append({"body": answer.text, "headers": dict(answer.headers)})
        answers.append({"body": http.get("/metrics").text})

    assert_no_secret(log.read_text() + json.dumps(answers))
    for answer in answers:
        assert_no_internals(answer)


def test_an_edge_that_fails_to_start_keeps_secrets(environment, edge):
    _, log = edge(failures(environment)["a / in Redis' password"])

    eventually(lambda: log.read_text().count("REDIS_URL is malformed") == 2)  # edge and relay

    assert_no_secret(log.read_text())
