"""The locustfile as Locust runs it, against a server whose answers are known."""

import json
import os
import subprocess

import pytest

from flashsale_local.paths import ROOT
from flashsale_local.sale.answers import AnswerKind
from loadtest.spike.k6 import LOAD_VENV
from tests.spike.answers import answering

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


def test_every_answer_is_counted_under_its_kind(server, ids, tmp_path):
    done, rows = locust(server.url, ids, tmp_path, HOST_HEADER="shop.example", GENERATION="3")

    counted = {row["name"]: row["num_requests"] for row in rows}
    assert counted == {kind.name.lower(): server.kinds[kind] for kind in AnswerKind}
    failures = {row["name"]: row["num_failures"] for row in rows if row["num_failures"]}
    assert failures == {"failed": server.kinds[AnswerKind.FAILED]}
    assert {path for path, _, _ in server.requests} == {"/api/v3/buy"}
    assert {host for _, host, _ in server.requests} == {"shop.example"}
    assert done.returncode == 1
    assert "MISSED the service level" in done.stdout


@pytest.mark.parametrize(("p95_ms", "status"), [("60000", 0), ("0.0001", 1)])
def test_the_exit_status_tells_whether_the_service_level_was_kept(ids, tmp_path, p95_ms, status):
    with answering(SOLD) as server:
        done, (row,) = locust(server.url, ids, tmp_path, P95_MS=p95_ms)

    assert (done.returncode, row["name"]) == (status, "accepted")
    assert row["num_requests"] == len(server.requests)


def test_purchases_that_could_not_be_sent_fail_the_run(ids, tmp_path):
    with answering(SOLD, seconds=2) as server:
        done, (row,) = locust(server.url, ids, tmp_path)

    assert "kept the service level" in done.stdout
    assert done.returncode == 1
    assert f"Only {row['num_requests']} of 163 purchases were sent" in done.stdout
    assert "SCALE" in done.stdout
