"""Logs, answers and traces of the functions."""

import json
import socket
import subprocess
import sys

import pytest

from flashsale_local.paths import ROOT
from tests.integration.secrets.failures import (
    FAILURES,
    assert_no_internals,
    assert_no_secret,
    events,
    failures,
)


def test_every_function_is_tried():
    assert {name for name, _ in events()} == {
        path.parent.name for path in (ROOT / "functions").glob("*/app.py")
    }


@pytest.mark.parametrize("failure", FAILURES)
def test_functions_keep_secrets_and_internals(environment, tmp_path, on_sale, failure):
    returned = tmp_path / "returned.json"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as xray:
        xray.bind(("127.0.0.1", 0))
        xray.setblocking(False)
        tracing = {
            "POWERTOOLS_TRACE_DISABLED": "false",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray.getsockname()[1]}",
            "LAMBDA_TASK_ROOT": "/var/task",
            "_X_AMZN_TRACE_ID": "Root=1-67891233-abcdef012345678912345678;"
            "Parent=463ac35c9f6413ad;Sampled=1",
        }

        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.secrets.everything", str(returned)],
            env={**environment, **tracing, **failures(environment)[failure]},
            input=json.dumps(list(events())),
            cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        traces = b""
        while True:
            try:
                traces += xray.recv(65_536)
            except BlockingIOError:
                break

    answers = json.loads(returned.read_text())
    assert len(answers) == len(list(events()))
    assert done.stderr or done.stdout
    assert traces, "traces were sent"
    for text in (done.stdout, done.stderr, json.dumps(answers), traces.decode()):
        assert_no_secret(text)
    for (_, event), answer in zip(events(), answers, strict=True):
        if "requestContext" in event:  # the others answer to Lambda, not to a client
            assert_no_internals(answer)
