"""The alerts: each is tested to fire and to stay silent, and Prometheus really raises one."""

import subprocess

import pytest
import yaml

from flashsale_local.paths import MONITORING
from tests.support import eventually

TESTS = sorted((MONITORING / "tests").glob("*.yml"))
GROUPS = yaml.safe_load((MONITORING / "rules" / "alerts.yml").read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}


def expectations(name):
    """The alerts that promtool is told to expect of one rule, one list for each moment."""
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
def test_the_rules_do_what_their_tests_say(file):
    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_to_fire_and_to_stay_silent(name):
    expected = expectations(name)

    assert any(expected), "it fires"
    assert not all(expected), "it is silent"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_what_and_where_to_read_on(name):
    alert = ALERTS[name]

    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_prometheus_takes_the_shipped_configuration_and_its_rules(watched):
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


def test_a_parked_message_raises_its_alert_and_a_healthy_sale_no_critical_one_beside(watched):
    def firing():
        alerts = watched.get("alerts")["alerts"]
        return {
            alert["labels"]["alertname"]
            for alert in alerts
            if alert["state"] == "firing" and alert["labels"]["severity"] == "critical"
        }

    assert eventually(firing) == {"ParkingQueueNotEmpty"}
