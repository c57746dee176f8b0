"""docker-compose.yml, as far as it can be checked without Docker."""

import re

import pytest
import yaml

from infra.paths import ROOT
from infra.stack.compose import FUNCTION_PARAMETERS, STORES
from infra.stack.stack import DEFAULT_PORTS

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service(name):
    service = SERVICES[name]

    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "bound to loopback"
    if "image" in service:
        assert re.search(r":v?\d+\.\d+", service["image"]), "a pinned tag"
    assert "healthcheck" in service or name == "relay"
    assert service["networks"] == ["flashsale"]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        known = source in COMPOSE["volumes"] or source == "/var/run/docker.sock"
        assert known or (ROOT / source).exists(), source


def test_functions_find_the_stores_by_their_names():
    network = SERVICES["localstack"]["environment"]["LAMBDA_DOCKER_NETWORK"]

    assert COMPOSE["networks"][network]["name"] == network
    assert set(STORES) <= SERVICES.keys()
    hosts = {re.search(r"(?:@|//)([a-z]+):\d", url)[1] for url in FUNCTION_PARAMETERS.values()}
    assert hosts == {"valkey", "postgres"}


def test_the_same_ports_as_without_docker():
    text = (ROOT / "docker-compose.yml").read_text()

    for variable, port in DEFAULT_PORTS.items():
        assert f"${{{variable}:-{port}}}" in text


def test_no_secret_is_in_the_file():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|TOKEN", name)
            assert not secret or value == "test", name
