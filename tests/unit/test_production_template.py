"""The resources that `template.yaml` becomes on AWS after SAM's transform."""

import json

import pytest

from flashsale_desk.transformed import PRODUCTION, transformed
from flashsale_local.deployment.steps import identified
from tests.helpers import iam


@pytest.fixture(scope="module")
def production():
    return transformed(PRODUCTION)["Resources"]


@pytest.fixture(scope="module")
def local():
    return transformed({"RedisUrl": "redis://r", "DatabaseUrl": "postgresql://d", "Auth": "none"})


def properties(resources, kind):
    return {n: one["Properties"] for n, one in resources.items() if one["Type"] == kind}


def version(resources):
    (name,) = properties(resources, "AWS::Lambda::Version")
    return name


def test_requests_come_to_the_alias_that_alarms_bring_back(production):
    (group,) = properties(production, "AWS::CodeDeploy::DeploymentGroup").values()
    alias = production["BuyFunctionAliaslive"]

    for alarm in ("CanaryErrors", "CanaryAnswers"):
        assert alarm in json.dumps(group["AlarmConfiguration"])
    assert "CodeDeployLambdaAliasUpdate" in alias["UpdatePolicy"]
    assert "BuyFunctionAliaslive" in json.dumps(production["HttpApiIntegration"])
    assert "BuyFunctionAliaslive" in json.dumps(production["HttpApiPermission"])


def test_emulators_get_no_canary(local):
    assert not [n for n, o in local["Resources"].items() if "CodeDeploy" in o["Type"]]


def test_production_calls_aws_and_no_emulator():
    template = transformed(PRODUCTION)
    functions = properties(template["Resources"], "AWS::Lambda::Function").values()

    assert "EndpointUrl" not in PRODUCTION
    assert template["Parameters"]["EndpointUrl"]["Default"] == ""
    assert template["Conditions"]["WithEndpoint"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "EndpointUrl"}, ""]}]
    }
    for function in functions:
        assert function["Environment"]["Variables"]["AWS_ENDPOINT_URL"] == {
            "Fn::If": ["WithEndpoint", {"Ref": "EndpointUrl"}, {"Ref": "AWS::NoValue"}]
        }


def test_a_change_of_the_layer_makes_a_new_version(production):
    """Most of the code is in the layer, and the canary shifts between versions."""
    changed = transformed(PRODUCTION, layer="s3://bucket/other")["Resources"]

    assert version(changed) != version(production)


def test_a_change_of_a_parameter_makes_a_new_version():
    """SAM ignores such a change, so the deployment tells SAM about it."""

    def released(issuer):
        parameters = {**PRODUCTION, "JwtIssuer": issuer}
        return version(transformed(identified("ReleaseId", parameters))["Resources"])

    assert released("https://a.example.org/") != released("https://b.example.org/")
    assert released("https://a.example.org/") == released("https://a.example.org/")


def test_each_new_version_has_a_changed_function():
    """Lambda creates no second version of an unchanged function."""
    made = transformed({**PRODUCTION, "ReleaseId": "r1"})["Resources"]

    for one in properties(made, "AWS::Lambda::Function").values():
        assert one["Environment"]["Variables"]["RELEASE_ID"] == {"Ref": "ReleaseId"}


def test_the_access_log_has_each_request_and_never_a_token(production):
    log = production["HttpApiStage"]["Properties"]["AccessLogSettings"]["Format"]

    assert set(json.loads(log)) >= {"ip", "path", "status", "requestId"}
    assert "header" not in log.lower()


def test_the_authorizer_lets_only_public_routes_through(production):
    routes = properties(production, "AWS::ApiGatewayV2::Route")
    default = routes.pop("HttpApiDefaultRoute")

    assert default["AuthorizationType"] == {"Fn::If": ["UseAuthorizer", "JWT", "NONE"]}
    opened = {one["RouteKey"] for one in routes.values() if "AuthorizationType" not in one}
    assert opened == {
        "GET /health",
        "HEAD /health",
        "GET /api/products",
        "GET /api/products/{productId}",
        "GET /api/v5/products/{productId}/stock",
        "GET /api/v5/rooms/{productId}",
        "OPTIONS /{proxy+}",
        "OPTIONS /api/admin/{proxy+}",
        "POST /api/payments/webhook",  # only what the payment provider has signed
    }


def test_a_preflight_of_the_admin_api_needs_no_admin(production):
    """No test depends on whether `ANY /api/admin/{proxy+}` or `OPTIONS /{proxy+}` wins."""
    routes = properties(production, "AWS::ApiGatewayV2::Route").values()
    targets = {one["RouteKey"]: one["Target"] for one in routes}

    assert targets["OPTIONS /api/admin/{proxy+}"] == targets["ANY /api/admin/{proxy+}"]


def test_without_the_authorizer_the_application_still_checks_tokens():
    template = transformed({**PRODUCTION, "Authorizer": "false"})

    functions = properties(template["Resources"], "AWS::Lambda::Function")
    del functions["WebhookFunction"]  # it takes no tokens
    for one in functions.values():
        assert one["Environment"]["Variables"]["AUTH"] == {"Ref": "Auth"}


def test_every_queue_log_and_environment_takes_the_key(production):
    def uses_key(one, name):
        return one["Properties"].get(name) == {
            "Fn::If": ["WithKey", {"Ref": "KeyArn"}, {"Ref": "AWS::NoValue"}]
        }

    names = {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::Lambda::Function": "KmsKeyArn",
    }
    for one in production.values():
        if one["Type"] in names:
            assert uses_key(one, names[one["Type"]]), one


def test_functions_may_use_the_key_and_reach_postgresql(production):
    functions = {n for n, o in production.items() if o["Type"] == "AWS::Lambda::Function"}

    for policy, without in (("KeyAccess", set()), ("DatabaseAccess", {"WebhookFunction"})):
        roles = {role["Ref"] for role in production[policy]["Properties"]["Roles"]}
        assert roles == {f"{name}Role" for name in functions - without}, policy


def test_a_failed_first_release_leaves_no_retained_resources():
    """Names are fixed, so leftovers of a failed first deployment would block the second."""
    resources = iam.read("infra/aws/data.yaml")["Resources"]
    policies = {name: one.get("DeletionPolicy") for name, one in resources.items()}
    kept = {name for name, policy in policies.items() if policy == "RetainExceptOnCreate"}

    assert "Retain" not in policies.values()
    assert kept == {"Key", "Durable", "DurableUser", "DurableUsers", "DurableSubnets"}


def test_the_webhook_function_has_nothing_but_its_queue_and_its_secrets(production):
    """Everybody can call it. test_least_privilege.py has its rights."""
    function = production["WebhookFunction"]["Properties"]
    variables = function["Environment"]["Variables"]
    own = {name for name in variables if not name.startswith("POWERTOOLS_")}

    assert own == {"PAYMENTS_QUEUE_URL", "WEBHOOK_SECRETS", "AWS_ENDPOINT_URL", "RELEASE_ID"}
    assert "VpcConfig" not in function
    others = [one for one in properties(production, "AWS::Lambda::Function").values()
              if "WEBHOOK_SECRETS" in one["Environment"]["Variables"]]  # fmt: skip
    assert others == [function], "no other function knows the secrets"


def test_the_secret_of_waiting_rooms_is_known_where_tickets_are_read_or_rooms_opened(production):
    functions = properties(production, "AWS::Lambda::Function")
    knowing = {n for n, one in functions.items()
               if "ROOM_SECRET" in one["Environment"]["Variables"]}  # fmt: skip

    assert knowing == {"BuyFunction", "AdminFunction"}
