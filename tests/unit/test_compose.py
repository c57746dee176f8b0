"""The parts of docker-compose.yml that can be checked without Docker."""

import re

import pytest
import yaml

from flashsale.deadline import GRACE
from flashsale.http.in_time import ANSWER_TIME, BODY_TIME
from flashsale.usecases.relay import ASGI_PACE
from flashsale_desk.dashboards.definitions import DASHBOARDS
from flashsale_desk.dashboards.grafana import FOLDER, render
from flashsale_local.paths import ROOT
from flashsale_local.stack import compose
from flashsale_local.stack.compose import FUNCTION_PARAMETERS, STORES
from flashsale_local.stack.exporter import ALIVE
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_server.edge import __main__ as edge

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service(name):
    service = SERVICES[name]

    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "bound to loopback"
    if "image" in service:
        assert re.search(r":v?\d+\.\d+(\.\d+)?$", service["image"]), "a pinned tag"
    else:
        assert service["cap_drop"] == ["ALL"], "our own containers need no capability"
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"]
        assert service["tmpfs"] == ["/tmp"]
    assert "healthcheck" in service or name == "relay"
    assert service["networks"] == ["flashsale"]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        known = source in COMPOSE["volumes"] or source == "/var/run/docker.sock"
        assert known or (ROOT / source).exists(), source


def test_a_stop_waits_for_the_longest_request():
    request = BODY_TIME + ANSWER_TIME + GRACE
    granian = float(edge.SETTINGS["GRANIAN_WORKERS_KILL_TIMEOUT"])
    docker = float(SERVICES["edge"]["stop_grace_period"].removesuffix("s"))

    assert max(request, ASGI_PACE.bound) < granian < docker
    assert "stop_grace_period" not in SERVICES["relay"] | SERVICES["exporter"], "10 s are enough"
    assert request - BODY_TIME < 10, "a whole request has its answer in docker's default, too"


def test_containers_find_the_stores_by_their_names():
    network = SERVICES["localstack"]["environment"]["LAMBDA_DOCKER_NETWORK"]

    assert COMPOSE["networks"][network]["name"] == network
    assert set(STORES) <= SERVICES.keys()
    hosts = {re.search(r"(?:@|//)([a-z]+):\d", url)[1] for url in FUNCTION_PARAMETERS.values()}
    assert hosts == {"valkey", "postgres"}


def test_ports_are_the_same_as_without_docker():
    text = (ROOT / "docker-compose.yml").read_text()

    in_containers = DEFAULT_PORTS.keys() - {"FLASHSALE_MONITOR_PORT"}  # runs outside
    for variable in in_containers:
        assert f"${{{variable}:-{DEFAULT_PORTS[variable]}}}" in text


@pytest.mark.parametrize(
    ("containers", "seen"),
    [("abc", {"AUTH": "jwt", "CORS_ORIGINS": "https://a.example?b=c"}), ("", None)],
)
def test_each_container_names_its_environment(tmp_path, monkeypatch, containers, seen):
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = compose ]; then echo "{containers}"; exit; fi\n'
        """echo '["AUTH=jwt", "CORS_ORIGINS=https://a.example?b=c"]'\n"""
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(compose, "LOCAL", tmp_path)

    assert compose.environment_of("edge") == seen


def test_the_exporters_health_check_is_no_scrape():
    *_, script = SERVICES["exporter"]["healthcheck"]["test"]

    assert f"'http://127.0.0.1:{DEFAULT_PORTS['FLASHSALE_EXPORTER_PORT']}{ALIVE}'" in script


def test_no_secret_is_in_the_file():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|TOKEN", name)
            assert not secret or value in ("test", None), f"{name} may only come from the shell"


def test_prometheus_finds_its_rules_and_all_containers_with_metrics():
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["prometheus"]["volumes"])
    targets = yaml.safe_load((ROOT / "monitoring" / "targets" / "compose.yml").read_text())

    assert mounted["./monitoring/rules"] == "/etc/prometheus/rules"
    assert mounted["./monitoring/targets"] == "/etc/prometheus/targets"
    jobs = {group["labels"]["job"]: group["targets"] for group in targets}
    assert jobs.keys() == {"edge", "relay", "exporter"}
    for (target,) in jobs.values():
        name, port = target.split(":")
        assert any(one.endswith(f":{port}") for one in SERVICES[name]["ports"]), target


def test_grafana_finds_its_dashboards():
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    folder = ROOT / "monitoring" / "grafana" / "provisioning" / "dashboards"
    (provider,) = yaml.safe_load((folder / "flashsale.yml").read_text())["providers"]

    assert provider["options"]["path"] == mounted["./monitoring/grafana/dashboards"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_dashboards_match_their_description(dashboard):
    written = (FOLDER / f"{dashboard.uid}.json").read_text()

    assert written == render(dashboard), "run `make dashboards`"
