"""The locustfile, run by Locust against a server with known answers."""

import json
import os
import subprocess

import pytest

from flashsale_local.paths import ROOT
from flashsale_local.sale.answers import Kind
from loadtest.spike.k6 import LOAD_VENV
from tests.spike.answers import till

SOLD = [(202, b"{}")]


def locust(url, ids, tmp_path, **more):
    report = tmp_path / "report"
    done = subprocess.run(
        [LOAD_VENV / "bin" / "locust", "-f", "loadtest/locustfile.py", "--headless",
         "--json-file", str(report)],
        env={**os.environ, "BASE_URL": url, "IDS": str(ids), "PROFILE": "smoke",
             "P95_MS": "60000", **more},
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done, json.loads(report.with_suffix(".json").read_text())


def test_every_answer_is_counted_as_its_kind(server, ids, tmp_path):
    done, rows = locust(server.url, ids, tmp_path, HOST_HEADER="shop.example", GENERATION="3")

    counted = {row["name"]: row["num_requests"] for row in rows}
    assert counted == {kind.name.lower(): server.kinds[kind] for kind in Kind}
    failures = {row["name"]: row["num_failures"] for row in rows if row["num_failures"]}
    assert failures == {"failed": server.kinds[Kind.FAILED]}
    assert {path for path, _, _ in server.requests} == {"/api/v3/buy"}
    assert {host for _, host, _ in server.requests} == {"shop.example"}
    assert done.returncode == 1
    assert "MISSED the service level" in done.stdout


@pytest.mark.parametrize(("p95_ms", "status"), [("60000", 0), ("0.0001", 1)])
def test_its_exit_status_shows_the_service_level(ids, tmp_path, p95_ms, status):
    with till(SOLD) as server:
        done, (row,) = locust(server.url, ids, tmp_path, P95_MS=p95_ms)

    assert (done.returncode, row["name"]) == (status, "accepted")
    assert row["num_requests"] == len(server.requests)


def test_a_load_that_could_not_be_sent_fails_with_a_message(ids, tmp_path):
    with till(SOLD, seconds=2) as server:
        done, (row,) = locust(server.url, ids, tmp_path)

    assert "kept the service level" in done.stdout
    assert done.returncode == 1
    assert f"Only {row['num_requests']} of 163 purchases were sent" in done.stdout
    assert "SCALE" in done.stdout
