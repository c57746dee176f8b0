"""`infra/aws/container.yaml`: the rights, the hardening and the settings of the containers."""

import json
import re

import pytest

from flashsale.config import Settings
from flashsale.http.application import create_app
from flashsale_desk.scaling import inputs
from flashsale_local.paths import ROOT
from flashsale_server.edge.__main__ import SETTINGS as OF_GRANIAN
from tests.helpers import iam
from tests.helpers.granian import accepted_by_granian
from tests.helpers.in_process import client_of
from tests.helpers.recorder import Recorder

TEMPLATE = iam.read("infra/aws/container.yaml")
RESOURCES = TEMPLATE["Resources"]
TASKS = iam.of_type("AWS::ECS::TaskDefinition", TEMPLATE)
QUEUES = {
    "${ApplicationStack}-orders": "OrdersQueue",
    "${ApplicationStack}-orders-dlq": "OrdersDeadLetterQueue",
    "${ApplicationStack}-orders-parking": "OrdersParkingQueue",
    "${ApplicationStack}-payments": "PaymentsQueue",
}
# Variables of `Settings` that the edge's task leaves at their defaults.
NOT_SET = {
    "JWT_SECRET": "for local stacks only",
    "DATABASE_POOL_SIZE": "the image sets it",
    "SOLD_OUT_FOR": "only tests and measurements change it",
    "POWERTOOLS_TRACE_DISABLED": "X-Ray's daemon is not in the task",
    "AWS_LAMBDA_FUNCTION_NAME": "Lambda sets it",
}


def container(task):
    (only,) = TASKS[task]["ContainerDefinitions"]
    return only


def environment(task):
    found = {one["Name"]: one["Value"] for one in container(task)["Environment"]}
    # Those under a condition are taken as if it held.
    secrets = [one.get("Fn::If", [None, one])[1] for one in container(task)["Secrets"]]
    return found | {one["Name"]: one["ValueFrom"] for one in secrets}


def rights(role):
    """Return the grants of a role, with queues as `template.yaml` names them."""
    found = set()
    for statement in iam.statements(RESOURCES[role]["Properties"]["Policies"]):
        for action in iam.listed(statement["Action"]):
            for resource in iam.listed(statement["Resource"]):
                arn = resource.get("Fn::Sub", "")
                name = arn.rpartition(":")[2] if ":sqs:" in arn else ""
                found.add((action, QUEUES[name] if name else iam.target(resource)))
    return found


def attribute(resource, key):
    attributes = next(v for k, v in resource["Properties"].items() if k.endswith("Attributes"))
    return next(one["Value"] for one in attributes if one.get("Key") == key)


def test_the_queues_are_those_of_the_application():
    queues = iam.of_type("AWS::SQS::Queue", iam.read("template.yaml"))
    named = {n: q["QueueName"]["Fn::Sub"].replace("AWS::StackName", "ApplicationStack")
             for n, q in queues.items()}  # fmt: skip

    for name, logical_id in QUEUES.items():
        assert named[logical_id] == name


def test_the_edge_has_the_rights_of_the_functions_whose_code_it_runs():
    """tests/integration/test_least_privilege.py compares those with the calls of the code."""
    of_functions = set()
    for function in ("BuyFunction", "AdminFunction", "SweepFunction"):
        of_functions |= iam.granted(function) - iam.used_by_lambda(function)
    of_functions = {grant for grant in of_functions if grant[1] != "FailedInvocationsQueue"}

    assert rights("EdgeRole") == of_functions


def test_the_relay_can_only_send():
    assert rights("RelayRole") == {
        ("sqs:SendMessage", "OrdersQueue"),
        ("kms:Decrypt", "KeyArn"),
        ("kms:GenerateDataKey", "KeyArn"),
    }


def test_each_use_of_the_key_is_by_one_service():
    for role in ("ExecutionRole", "EdgeRole", "RelayRole"):
        for statement in iam.statements(RESOURCES[role]["Properties"]["Policies"]):
            if "kms:Decrypt" in iam.listed(statement["Action"]):
                assert "kms:ViaService" in statement["Condition"]["StringEquals"]


@pytest.mark.parametrize("task", TASKS)
def test_a_container_is_hardened(task):
    one = container(task)

    assert one["ReadonlyRootFilesystem"] is True
    assert one["User"] == "65534:65534"
    assert one["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    (tmp,) = one["LinuxParameters"]["Tmpfs"]
    assert tmp["ContainerPath"] == "/tmp"
    assert "mode=1777" in tmp["MountOptions"], "the user is not root"
    assert one["Image"] == {"Ref": "ImageUri"}


def test_an_image_is_named_by_its_digest():
    pattern = TEMPLATE["Parameters"]["ImageUri"]["AllowedPattern"]
    host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/flashsale"

    assert re.search(pattern, f"{host}@sha256:{'0' * 64}")
    assert not re.search(pattern, f"{host}:latest")


@pytest.mark.parametrize("task", TASKS)
def test_a_container_stops_later_than_its_workers_are_killed(task):
    drains = int(attribute(RESOURCES["EdgeTargets"], "deregistration_delay.timeout_seconds"))
    kills = int(OF_GRANIAN["GRANIAN_WORKERS_KILL_TIMEOUT"])

    assert kills < container(task)["StopTimeout"] <= 120, "120 is Fargate's limit"
    assert drains >= 3, "seconds that a request may take: decision 31"


def test_the_edge_keeps_an_idle_connection_longer_than_the_load_balancer():
    idle = int(attribute(RESOURCES["Balancer"], "idle_timeout.timeout_seconds"))

    assert int(environment("EdgeTask")["GRANIAN_HTTP1_HEADER_READ_TIMEOUT"]) > idle * 1000


async def test_the_health_check_asks_no_store():
    """ECS replaces a task that is not healthy. A store that is down must not end all tasks."""

    def no_services():
        raise AssertionError("a store was asked")

    path = RESOURCES["EdgeTargets"]["Properties"]["HealthCheckPath"]
    async with client_of(create_app(no_services)) as http:
        assert (await http.get(path)).status_code == 200


def test_the_edge_gets_each_variable_that_the_settings_read():
    secret = {"REDIS_URL": "redis://r", "DATABASE_URL": "postgresql://d"}
    recorded = Recorder(secret)
    Settings.from_mapping(recorded)
    signed = {"AUTH": "jwt", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "JWT_JWKS": "{}"}
    with_tokens = Recorder(secret | signed)
    Settings.from_mapping(with_tokens)

    asked = recorded.asked | with_tokens.asked

    assert environment("EdgeTask").keys() & asked == asked - NOT_SET.keys()
    assert NOT_SET.keys() <= asked


@pytest.mark.parametrize("task", TASKS)
def test_the_image_reads_each_variable_that_a_container_gets(task):
    files = [*ROOT.glob("layers/flashsale/flashsale/**/*.py"),
             *ROOT.glob("infra/flashsale_server/**/*.py")]  # fmt: skip
    code = "\n".join(path.read_text() for path in files)

    for name, value in environment(task).items():
        if name.startswith("GRANIAN_"):
            assert accepted_by_granian(name, value), name
        else:
            read = f'"{name}"' in code or name == "AWS_DEFAULT_REGION"  # which botocore reads
            assert read, name


def test_the_relay_starts_with_its_variables():
    values = dict.fromkeys(environment("RelayTask"), "x")
    given = environment("RelayTask")
    values |= {"REDIS_URL": "redis://r", "DATABASE_URL": "postgresql://d", "AUTH": given["AUTH"]}
    values["ORDERS_QUEUE_URL"] = "https://sqs"

    assert Settings.from_mapping(values).orders_queue_url == "https://sqs"


def test_no_secret_is_in_a_task_definition():
    assert TEMPLATE["Parameters"]["RedisUrl"]["NoEcho"] is True
    for task in TASKS.values():
        assert '"RedisUrl"' not in json.dumps(task)
        assert '"RoomSecrets"' not in json.dumps(task["ContainerDefinitions"])
    for task in TASKS:
        assert environment(task)["REDIS_URL"] == {"Ref": "RedisUrlSecret"}
    assert TEMPLATE["Parameters"]["RoomSecrets"]["NoEcho"] is True
    assert environment("EdgeTask")["ROOM_SECRET"] == {"Ref": "RoomSecret"}
    assert "ROOM_SECRET" not in environment("RelayTask"), "it knows no user"


def test_clients_are_counted_by_their_own_addresses():
    assert environment("EdgeTask")["TRUSTED_PROXIES"] == {"Ref": "VpcCidr"}
    assert environment("EdgeTask")["AUTH"] == "jwt"


@pytest.mark.parametrize("service", ["Edge", "Relay"])
def test_a_bad_deployment_is_undone_and_never_ends_the_old_tasks_first(service):
    made = RESOURCES[service]["Properties"]
    deployment = made["DeploymentConfiguration"]

    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert deployment["MinimumHealthyPercent"] == 100
    assert made["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert "DesiredCount" not in made or service == "Relay", "a deployment must not undo scaling"


def test_port_80_serves_nothing_but_a_redirect():
    listeners = iam.of_type("AWS::ElasticLoadBalancingV2::Listener", TEMPLATE).values()
    (plain,) = [one for one in listeners if one["Protocol"] == "HTTP"]

    (action,) = plain["DefaultActions"]
    assert action["RedirectConfig"]["Protocol"] == "HTTPS"


def test_the_model_counts_the_tasks_of_this_template():
    measured = inputs.load().measured

    assert int(TASKS["EdgeTask"]["Cpu"]) == measured.task_vcpus * 1024
    assert int(TASKS["EdgeTask"]["Memory"]) == measured.task_gb * 1024
    assert int(TASKS["RelayTask"]["Cpu"]) == measured.relay_vcpus * 1024
    assert int(TASKS["RelayTask"]["Memory"]) == measured.relay_gb * 1024
    assert TEMPLATE["Parameters"]["MinTasks"]["Default"] == measured.tasks_at_least
