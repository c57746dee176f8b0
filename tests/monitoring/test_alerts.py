"""Each alert has tests for firing and for silence, and Prometheus raises one for real."""

import subprocess

import pytest
import yaml

from flashsale_local.paths import MONITORING
from tests.helpers.support import eventually

TESTS = sorted((MONITORING / "tests").glob("*.yml"))
GROUPS = yaml.safe_load((MONITORING / "rules" / "alerts.yml").read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}


def expectations(name):
    """Return the alerts that promtool expects of a rule, one list for each moment."""
    files = [yaml.safe_load(file.read_text()) for file in TESTS]
    moments = [
        moment
        for file in files
        for test in file["tests"]
        for moment in test.get("alert_rule_test", [])
    ]
    return [moment["exp_alerts"] for moment in moments if moment["alertname"] == name]


def promtool(*arguments):
    return subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_pass_their_tests(file):
    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_tests_for_firing_and_for_silence(name):
    expected = expectations(name)

    assert any(expected), "no test expects it to fire"
    assert not all(expected), "no test expects it to be silent"


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_a_severity_a_summary_and_a_runbook_link(name):
    alert = ALERTS[name]

    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_prometheus_loads_the_shipped_configuration_and_rules(watched):
    assert promtool("check", "config", str(MONITORING / "prometheus.yml")).returncode == 0

    def rules():
        found = [rule for group in watched.get("rules")["groups"] for rule in group["rules"]]
        return found if all(rule["health"] == "ok" for rule in found) else None

    names = {rule["name"] for rule in eventually(rules)}
    assert set(ALERTS) <= names


def test_every_target_is_scraped(watched):
    def up():
        targets = watched.get("targets", state="active")["activeTargets"]
        return {t["labels"]["job"] for t in targets if t["health"] == "up"} == set(watched.scraped)

    assert eventually(up)


def test_a_parked_message_raises_its_alert_and_no_other_page(watched):
    def firing():
        alerts = watched.get("alerts")["alerts"]
        return {
            alert["labels"]["alertname"]
            for alert in alerts
            if alert["state"] == "firing" and alert["labels"]["severity"] == "page"
        }

    assert eventually(firing) == {"ParkingQueueNotEmpty"}
