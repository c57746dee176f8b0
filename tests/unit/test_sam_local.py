"""What `sam local` reads: its sections of samconfig.toml, and the variables of the functions."""

import json
import re
import tomllib

import pytest
import yaml
from cfnlint.decode import decode
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

from flashsale_local.paths import ROOT

SECTIONS = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
COMMANDS = ("local_invoke", "local_start_lambda", "local_start_api")


@pytest.fixture(scope="module")
def template():
    document, problems = decode(str(ROOT / "template.yaml"))
    assert not problems
    return json.loads(json.dumps(document))


def declared(template):
    """Return the variables that the functions of the template have, all together."""
    variables = dict(template["Globals"]["Function"]["Environment"]["Variables"])
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            variables |= resource["Properties"].get("Environment", {}).get("Variables", {})
    return variables


def handed_on(command):
    return json.loads((ROOT / SECTIONS[command]["parameters"]["env_vars"]).read_text())[
        "Parameters"
    ]


def test_the_front_page_shows_a_command_that_the_tests_in_containers_run():
    shown = {
        page: set(re.findall(r"^sam local invoke .*$", (ROOT / page).read_text(), re.MULTILINE))
        for page in ("README.md", "docs/running.md")
    }

    assert shown["README.md"]
    assert shown["README.md"] <= shown["docs/running.md"]


@pytest.mark.parametrize("command", COMMANDS)
def test_functions_join_the_network_of_the_stack(command):
    network = SECTIONS[command]["parameters"]["docker_network"]

    assert COMPOSE["networks"][network]["name"] == network


@pytest.mark.parametrize("command", COMMANDS)
def test_functions_have_the_settings_of_the_edge(command):
    variables = handed_on(command)
    of_edge = COMPOSE["services"]["edge"]["environment"]
    fixed = {name: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", of_edge[name]) for name in variables}

    assert variables == fixed
    assert SECTIONS[command]["parameters"]["region"] == of_edge["AWS_DEFAULT_REGION"]


@pytest.mark.parametrize("command", COMMANDS)
def test_sam_drops_no_variable(template, command):
    """SAM drops what the template does not declare."""
    assert handed_on(command).keys() <= declared(template).keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_sam_knows_each_address(template, command):
    """Where a value is a resource or a parameter without a default, SAM passes on its name."""
    parameters = template["Parameters"]
    unknown = {
        name
        for name, value in declared(template).items()
        if isinstance(value, dict)
        and (reference := value.get("Ref"))
        and not reference.startswith("AWS::")
        and "Default" not in parameters.get(reference, {})
    }

    assert "ORDERS_QUEUE_URL" in unknown
    assert unknown <= handed_on(command).keys()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_start_api_finds_the_functions_of_the_http_api():
    parameters = SECTIONS["local_start_api"]["parameters"]
    stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))

    api = ApiProvider(stacks, disable_authorizer=parameters["disable_authorizer"]).api

    found = {route.path: route.function_name for route in api.routes}
    assert found["$default"] == "BuyFunction"
    assert found["/api/admin/{proxy+}"] == "AdminFunction"


def test_start_api_leaves_the_port_of_grafana_free():
    (published,) = COMPOSE["services"]["grafana"]["ports"]
    usual = re.findall(r"\d+", published)[-1]

    assert str(SECTIONS["local_start_api"]["parameters"]["port"]) != usual
