"""The parts of docker-compose.yml that can be checked without Docker."""

import ast
import re
from contextlib import suppress

import pytest
import yaml

from flashsale.config import Settings, origins
from flashsale.deadline import GRACE
from flashsale.errors import ConfigError
from flashsale.http.in_time import ANSWER_TIME, BODY_TIME
from flashsale.usecases.relay import ASGI_PACE
from flashsale_desk.dashboards.definitions import DASHBOARDS
from flashsale_desk.dashboards.grafana import FOLDER, render
from flashsale_local.paths import ROOT
from flashsale_local.stack.compose import FUNCTION_PARAMETERS, STORES
from flashsale_local.stack.exporter import ALIVE
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_server.edge import __main__ as edge
from flashsale_server.edge.proxies import trust_proxies
from flashsale_server.edge.shop_addresses import shop_addresses
from flashsale_server.exporter.settings import ExporterSettings
from tests.helpers.image import variables_of_image
from tests.helpers.recorder import Recorder

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OUR_OWN = ("edge", "relay", "exporter")
# What the programs of the image read, and why compose does not hand it on.
NOT_HANDED_ON = {
    "JWT_JWKS_URL": "the local stack trusts its own tokens only",
    "JWT_JWKS": "the local stack trusts its own tokens only",
    "PROVIDER_URL": "the fake provider is for the stack of processes",
    "PROVIDER_KEY": "the fake provider is for the stack of processes",
    "DATABASE_AUTH": "the PostgreSQL of the stack is not on RDS",
    "AWS_LAMBDA_FUNCTION_NAME": "Lambda sets it",
    "POWERTOOLS_TRACE_DISABLED": "there is no X-Ray",
    "FLASHSALE_STACK": "`up` deploys to the stack `flashsale`, the default",
    "FLASHSALE_EXPORTER_PORT": "within its container the exporter has its usual port",
    "PROMETHEUS_MULTIPROC_DIR": "a folder within the container",
    "GRANIAN_HOST": "the image sets it",
    "GRANIAN_PORT": "the image sets it",
}


def read_by_parsers():
    """Return the variables for which the parsers of settings ask."""
    addresses = {
        "REDIS_URL": "redis://h:1/0",
        "DATABASE_URL": "postgresql://h:1/d",
        **{f"{name}_QUEUE_URL": "http://h:1/q" for name in ("ORDERS", "DEAD_LETTER", "PARKING")},
    }
    signed = {"AUTH": "jwt", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "JWT_SECRET": "s" * 32}
    asked = set()
    for more in ({}, signed):
        for parse in (
            Settings.from_mapping,
            ExporterSettings.from_mapping,
            origins,
            lambda environment: trust_proxies(None, environment),
            shop_addresses,
        ):
            recorder = Recorder({**addresses, **more})
            with suppress(ConfigError):
                parse(recorder)
            asked |= recorder.asked
    return asked


def read_in_code():
    """Return the variables that the programs of the image read by their names in the code."""
    asked = set()
    for root in (ROOT / "infra" / "flashsale_server", ROOT / "layers" / "flashsale"):
        for path in root.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case (
                        ast.Call(
                            func=ast.Attribute(value=source, attr="get"),
                            args=[ast.Constant(value=str(name)), *_],
                        )
                        | ast.Subscript(value=source, slice=ast.Constant(value=str(name)))
                    ):
                        if ast.unparse(source) in ("os.environ", "environment", "env"):
                            asked.add(name)
    return asked


@pytest.mark.parametrize("name", SERVICES)
def test_a_service(name):
    service = SERVICES[name]

    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), "bound to loopback"
    if name in OUR_OWN:
        assert service["cap_drop"] == ["ALL"], "our own containers need no capability"
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"]
        assert service["tmpfs"] == ["/tmp"]
    else:
        assert re.search(r":v?\d+\.\d+(\.\d+)?$", service["image"]), "a pinned tag"
    assert "healthcheck" in service
    assert service["networks"] == ["flashsale"]
    for volume in service.get("volumes", []):
        source = volume.removeprefix("${DOCKER_SOCK:-").split(":")[0]
        known = source in COMPOSE["volumes"] or source == "/var/run/docker.sock}"
        assert known or (ROOT / source).exists(), source


def test_a_stop_waits_for_the_longest_request():
    request = BODY_TIME + ANSWER_TIME + GRACE
    granian = float(edge.SETTINGS["GRANIAN_WORKERS_KILL_TIMEOUT"])
    docker = float(SERVICES["edge"]["stop_grace_period"].removesuffix("s"))

    assert max(request, ASGI_PACE.bound) < granian < docker
    assert "stop_grace_period" not in SERVICES["relay"] | SERVICES["exporter"], "10 s are enough"
    assert request - BODY_TIME < 10, "a whole request has its answer in docker's default, too"


def test_one_image_is_built_once_and_again_at_each_up():
    built = {name for name, service in SERVICES.items() if "build" in service}

    assert built == {"edge"}
    assert SERVICES["edge"]["pull_policy"] == "build", "or a container would keep old code"
    assert {SERVICES[name]["image"] for name in OUR_OWN} == {"flashsale-edge"}
    for name in set(OUR_OWN) - built:
        assert SERVICES[name]["pull_policy"] == "never", "no registry has it"


def test_each_container_gets_every_variable_that_its_program_reads():
    image = variables_of_image().keys()
    read = read_by_parsers() | read_in_code()
    given = SERVICES["edge"]["environment"].keys()

    assert {"REDIS_URL", "RATE_LIMIT_USER", "TRUSTED_PROXIES", "LIVE_PAGE_URL"} <= read
    own = {"EMULATOR": "exporter"}
    for name, service in own.items():
        assert name in SERVICES[service]["environment"]
    assert read - given - own.keys() - NOT_HANDED_ON.keys() <= image
    assert NOT_HANDED_ON.keys() <= read | image, "a variable is read no longer"
    assert not given & NOT_HANDED_ON.keys()
    of_buyers = {"ROOM_SECRET", "SHOP_SIGN_IN_URL", "SHOP_PAY_URL"}
    for name in ("relay", "exporter"):
        assert given - of_buyers == SERVICES[name]["environment"].keys() - own.keys()


def test_the_page_of_the_image_names_each_variable_that_its_processes_read():
    page = (ROOT / "docs" / "containers.md").read_text()
    of_emulators = {"AWS_ENDPOINT_URL", "EMULATOR", "JWT_SECRET"}
    of_lambda = {"AWS_LAMBDA_FUNCTION_NAME", "POWERTOOLS_TRACE_DISABLED"}
    read = read_by_parsers() | read_in_code()

    named = {name for name in read if f"`{name}`" in page}
    assert read - named == of_emulators | of_lambda | {"POWERTOOLS_METRICS_NAMESPACE"}


def test_settings_of_the_shell_reach_the_containers_and_an_unset_one_does_not():
    image = variables_of_image()
    tuned = ("RATE_LIMIT_USER", "RATE_LIMIT_ADDRESS", "CORS_ORIGINS", "TRUSTED_PROXIES",
             "SOLD_OUT_FOR", "SWEEP_AFTER", "DATABASE_POOL_SIZE", "GRANIAN_WORKERS")  # fmt: skip

    for variable in tuned:
        for name in OUR_OWN:
            # Without a value compose takes that of the shell, or removes the variable, also that of
            # the image. A default such as ${SWEEP_AFTER:-} would be empty, which no program takes.
            usual = f"${{{variable}:-{image[variable]}}}" if variable in image else None
            assert SERVICES[name]["environment"][variable] == usual


def test_containers_find_the_stores_by_their_names():
    network = SERVICES["localstack"]["environment"]["LAMBDA_DOCKER_NETWORK"]

    assert COMPOSE["networks"][network]["name"] == network
    assert set(STORES) <= SERVICES.keys()
    hosts = {re.search(r"(?:@|//)([a-z]+):\d", url)[1] for url in FUNCTION_PARAMETERS.values()}
    assert hosts == {"valkey", "postgres"}


def test_ports_are_the_same_as_without_docker():
    text = (ROOT / "docker-compose.yml").read_text()

    # The live page, the fake provider and the sign-in run outside.
    outside = {f"FLASHSALE_{name}_PORT" for name in ("MONITOR", "PROVIDER", "SIGN_IN")}
    for variable in DEFAULT_PORTS.keys() - outside:
        assert f"${{{variable}:-{DEFAULT_PORTS[variable]}}}" in text


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
