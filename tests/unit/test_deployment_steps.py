"""The steps of a deployment to AWS, and the conditions under which it fails."""

import io
import json
import re

import boto3
import jwt
import pytest
from cfnlint.decode import decode
from cryptography.hazmat.primitives.asymmetric import ec

from flashsale_desk.transformed import transformed
from flashsale_local.deployment import deploy
from flashsale_local.deployment.steps import Environment, from_stores, steps
from flashsale_local.deployment.target import Target
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

ISSUER = "JwtIssuer=https://issuer.example.org/ JwtAudience=flashsale"
PUBLIC = ec.generate_private_key(ec.SECP256R1()).public_key()
KEYS = json.dumps({"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(PUBLIC))]})
JWT = f"{ISSUER} JwtJwksUrl=https://issuer.example.org/jwks.json"


IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/flashsale@sha256:{'0' * 64}"
CONTAINERS = f"ImageUri={IMAGE} CertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/0"


def environment(tmp_path, overrides=JWT, containers=""):
    path = tmp_path / "samconfig.toml"
    path.write_text(
        f"[prod.global.parameters]\nstack_name = 'shop'\n"
        f"[prod.deploy.parameters]\nparameter_overrides = '''{overrides}'''\ntags = 'a=b c=d'\n"
        f"[prod.container.parameters]\nparameter_overrides = '{containers}'\n"
    )
    return Environment.load("prod", path)


def declared_parameters(name):
    template, problems = decode(str(ROOT / name))
    assert not problems
    return template["Parameters"]


def declared(name, section):
    template, problems = decode(str(ROOT / name))
    assert not problems
    return set(template[section])


class Outputs(dict[str, str]):
    """Has a recognisable value for any output, and records which were read."""

    def __missing__(self, name):
        self[name] = f"<{name}>"
        return self[name]


def test_the_migrate_function_is_called_once_and_awaited(monkeypatch):
    """It may take 300 seconds. A retry would run at the same time."""
    given = {}

    class Lambda:
        def invoke(self, **_):
            return {"Payload": io.BytesIO(b'{"applied": ["0001"]}')}

    def client(_, config):
        given.update(read=config.read_timeout, tries=config.retries["total_max_attempts"])
        return Lambda()

    monkeypatch.setattr(boto3, "client", client)
    timeout = transformed()["Resources"]["MigrateFunction"]["Properties"]["Timeout"]

    assert deploy.migrate(Target("", "", "")) == ["0001"]
    assert given["tries"] == 1
    assert given["read"] > timeout


def test_stores_come_before_the_application_and_alarms_after_it(tmp_path):
    found = [one.stack_name for one in steps(environment(tmp_path), lambda: "")]

    assert found == ["shop-network", "shop-data", "shop", "shop-monitoring"]


def test_no_stores_are_made_where_their_urls_are_given(tmp_path):
    given = f"{JWT} RedisUrl=rediss://mine DatabaseUrl=postgresql://mine"

    found = steps(environment(tmp_path, given), lambda: "")

    assert [one.stack_name for one in found] == ["shop", "shop-monitoring"]
    assert found[0].parameters({})["RedisUrl"] == "rediss://mine"


@pytest.mark.parametrize(
    ("given", "nat"),
    [
        (JWT, "true"),
        (f"{ISSUER} JwtJwks='{KEYS}'", "false"),
        (f"{ISSUER} JwtJwks='{KEYS}' ProviderUrl=https://provider.example ProviderKey=k", "true"),
    ],
)
def test_the_functions_get_a_way_out_only_if_they_need_it(tmp_path, given, nat):
    network, *_ = steps(environment(tmp_path, given), lambda: "")

    assert network.parameters({}) == {"Nat": nat}


def test_every_step_passes_only_parameters_of_its_template(tmp_path):
    made = {"shop-network": Outputs(), "shop-data": Outputs()}
    templates = {
        "shop-network": "infra/aws/network.yaml",
        "shop-data": "infra/aws/data.yaml",
        "shop": "template.yaml",
        "shop-monitoring": "infra/aws/monitoring.yaml",
        "shop-container": "infra/aws/container.yaml",
    }

    for one in steps(environment(tmp_path, containers=CONTAINERS), lambda: ""):
        given = one.parameters(made)
        assert set(given) <= declared(templates[one.stack_name], "Parameters"), one.stack_name
    assert set(made["shop-network"]) <= declared("infra/aws/network.yaml", "Outputs")
    assert set(made["shop-data"]) <= declared("infra/aws/data.yaml", "Outputs")


def test_containers_come_last_and_with_what_they_need(tmp_path):
    asked = f"{JWT} RateLimitUser=10/60 Canary=true"
    made = {"shop-network": Outputs(), "shop-data": Outputs()}

    network, *_, last = steps(environment(tmp_path, asked, CONTAINERS), lambda: "")
    given = last.parameters(made)

    assert last.stack_name == "shop-container"
    assert network.parameters({})["Containers"] == "true"
    assert given["ImageUri"] == IMAGE
    assert given["RateLimitUser"] == "10/60", "set once, for functions and containers"
    assert given["FunctionsSecurityGroup"] == "<SecurityGroupIds>"
    assert given["RedisUrl"].startswith("rediss+cluster://flashsale:{{resolve:secretsmanager:")
    template = declared_parameters("infra/aws/container.yaml")
    needed = {name for name, one in template.items() if "Default" not in one}
    assert needed <= given.keys()


@pytest.mark.parametrize(
    ("given", "asked", "problem"),
    [
        (JWT, "MinTasks=4", "need ImageUri and CertificateArn"),
        (JWT, "ImageUri=shop:latest CertificateArn=arn", "a tag can be moved"),
        (f"{JWT} RedisUrl=rediss://mine", CONTAINERS, "names other stores"),
    ],
)
def test_containers_that_could_not_come_up_are_refused(tmp_path, given, asked, problem):
    with pytest.raises(Problem, match=problem):
        steps(environment(tmp_path, given, asked), lambda: "")


def test_without_containers_the_network_has_nothing_for_them():
    """Endpoints and a load balancer are billed by the hour."""
    document, _ = decode(str(ROOT / "infra/aws/network.yaml"))
    default = document["Parameters"]["Containers"]["Default"]
    of_containers = {
        name
        for name, one in document["Resources"].items()
        if one.get("Condition") == "WithContainers"
    }

    assert default == "false"
    assert {
        "EcrApiEndpoint", "EcrRegistryEndpoint", "ImageLayersEndpoint", "LogsEndpoint",
        "SecretsEndpoint", "PublicSubnetB", "PublicSubnetC",
    } <= of_containers  # fmt: skip
    always = {n for n, one in document["Resources"].items() if "Condition" not in one}
    endpoints = {n for n in always if document["Resources"][n]["Type"] == "AWS::EC2::VPCEndpoint"}
    assert endpoints == {"SqsEndpoint"}


def test_no_password_is_passed_on():
    given = from_stores(Outputs(), Outputs())

    found = re.fullmatch(r"rediss\+cluster://flashsale:(.+)@<RedisAddress>", given["RedisUrl"])
    assert found
    assert found[1] == "{{resolve:secretsmanager:<RedisSecretArn>:SecretString:password}}"


def test_token_settings_are_checked_before_anything_happens(tmp_path):
    with pytest.raises(Problem, match="Auth is none"):
        steps(environment(tmp_path, "Auth=none"), lambda: "")


def test_every_stack_has_the_tags(tmp_path):
    assert environment(tmp_path).tags == {"a": "b", "c": "d"}


def test_an_unknown_environment_is_named(tmp_path):
    with pytest.raises(Problem, match="staging"):
        Environment.load("staging")
