"""`make deploy` on the emulator: it shows the changes, asks, makes them and runs the smoke test."""

import json
import os
import subprocess

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from flashsale_local.deployment import changes, deploy
from tests.e2e.conftest import FLASHSALE

NAME = "flashsale-deploy-test"


@pytest.fixture(scope="module")
def deploy_command(deployed):
    """Runs `flashsale deploy` for a separate stack."""
    environment = {
        **os.environ,
        "REDIS_URL": deployed.redis_url,
        "DATABASE_URL": deployed.database_url,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "EMULATOR": deployed.emulator,
        "FLASHSALE_STACK": NAME,
        "COLUMNS": "200",
    }

    def run(*arguments, answer=""):
        return subprocess.run(
            [FLASHSALE, "deploy", *arguments],
            env=environment, input=answer, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip

    yield run
    boto3.client("cloudformation").delete_stack(StackName=NAME)


def queues(*names):
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 1}}
    return json.dumps({"Resources": dict.fromkeys(names, queue)})


@pytest.fixture
def small(deployed):
    """The name of a stack of queues."""
    name = f"{NAME}-small"
    yield name
    boto3.client("cloudformation").delete_stack(StackName=name)


def resources(name):
    try:
        answer = boto3.client("cloudformation").list_stack_resources(StackName=name)
    except ClientError:
        return set()
    return {row["LogicalResourceId"] for row in answer["StackResourceSummaries"]}


def test_a_dropped_change_set_leaves_no_stack(small):
    changes.propose(small, queues("A"), {}).drop()

    with pytest.raises(ClientError, match="does not exist"):
        boto3.client("cloudformation").describe_stacks(StackName=small)


def test_a_change_set_of_an_interrupted_run_is_replaced(small):
    """For a new stack and for an existing one."""
    changes.propose(small, queues("A"), {})
    changes.propose(small, queues("A"), {}).execute()
    changes.propose(small, queues("A", "B"), {})

    again = changes.propose(small, queues("A", "C"), {})
    again.execute()

    assert [change.resource for change in again.changes] == ["C"]
    assert resources(small) == {"A", "C"}


def test_the_answer_no_changes_nothing(deploy_command):
    done = deploy_command(answer="n\n")

    assert done.returncode == 1
    assert "BuyFunction" in done.stdout
    assert "was not changed" in done.stderr
    assert "BuyFunction" not in resources(NAME)


def test_changes_are_shown_then_made_and_tested(deploy_command):
    done = deploy_command("--yes")

    assert done.returncode == 0, done.stderr
    assert f"Changes of {NAME}" in done.stdout
    assert "Add" in done.stdout
    assert "AWS::Lambda::Function" in done.stdout
    assert "smoke test: /health 200, a purchase of nothing 4" in done.stderr
    assert "BuyFunction" in resources(NAME)


def test_the_http_api_requires_a_token_except_on_public_routes(deployed, deploy_command):
    """On ministack. LocalStack's free edition has no HTTP API."""
    if deployed.emulator == "localstack":
        return
    name = f"{NAME}-jwt"
    parameters = deploy.local_parameters(deployed) | {
        "Auth": "jwt",
        "JwtIssuer": "https://issuer.example.org/",
        "JwtAudience": "flashsale",
        "JwtJwksUrl": "https://issuer.example.org/jwks.json",
        "JwtSecret": "",  # the local stack's own
    }
    package = deploy.package("local", deploy.ROOT / ".local" / "logs" / "package.log")
    changes.propose(name, package, parameters).execute()

    url = f"{deployed.endpoint_url}/_aws/execute-api/{changes.outputs(name)['ApiId']}"
    with httpx.Client(base_url=url, timeout=60) as client:
        statuses = {
            path: client.get(path).status_code
            for path in ("/health", "/api/products", "/api/v5/orders/a:1-0", "/api/admin/audit")
        }
        preflights = [
            client.options(path).status_code for path in ("/api/v5/buy", "/api/admin/audit")
        ]
    boto3.client("cloudformation").delete_stack(StackName=name)

    assert statuses == {
        "/health": 200,
        "/api/products": 200,
        "/api/v5/orders/a:1-0": 401,
        "/api/admin/audit": 401,
    }
    assert 401 not in preflights
