"""Policies in the templates: no wildcards, and only accepted AWS managed policies.

tests/integration/test_least_privilege.py checks that the code needs what they allow.
"""

import json

import pytest

from flashsale_local.paths import ROOT
from tests.helpers import iam

TEMPLATES = ["template.yaml", *(f"infra/aws/{p.name}" for p in (ROOT / "infra/aws").glob("*.yaml"))]

# Reasons for each wildcard that IAM cannot narrow, by template and resource.
STARS = {
    ("infra/aws/data.yaml", "Key"): (
        "In a key's own policy `*` is this key. kms:* for the account's root is what lets IAM "
        "policies speak of it at all; ReEncrypt* and GenerateDataKey* are what logs ask for."
    ),
    ("infra/aws/network.yaml", "SqsEndpoint"): (
        "An endpoint's policy comes on top of IAM's and narrows it: to the queues of this account, "
        "which are made by a stack that comes later."
    ),
    **dict.fromkeys(
        [
            ("infra/aws/network.yaml", "EcrApiEndpoint"),
            ("infra/aws/network.yaml", "EcrRegistryEndpoint"),
            ("infra/aws/network.yaml", "LogsEndpoint"),
            ("infra/aws/network.yaml", "SecretsEndpoint"),
        ],
        "The same: to repositories, log groups and secrets of this account. The token of ECR knows "
        "no resources.",
    ),
    ("infra/aws/network.yaml", "ImageLayersEndpoint"): (
        "The objects of ECR's own bucket, whose names are those of layers."
    ),
    ("infra/aws/edge.yaml", "ShopBucketPolicy"): (
        "CloudFront may read all files of the page, which are public, and nothing else."
    ),
    ("infra/aws/container.yaml", "ExecutionRole"): "ecr:GetAuthorizationToken knows no resources.",
}
# Who may invoke a function. A Function URL is open to everybody, as the HTTP API is.
OPEN_DOORS = {
    ("template.yaml", "FunctionUrlPermission"),
    ("template.yaml", "AdminFunctionUrlPermission"),
    ("template.yaml", "WebhookFunctionUrlPermission"),
}

# SAM attaches these to each function's role. All of them have `*` as resource.
OF_FUNCTIONS = {
    "AWSLambdaBasicExecutionRole": "Three actions that write logs; nothing can be read.",
    "AWSXrayWriteOnlyAccess": "X-Ray knows no resources; only sampling rules can be read.",
    "AWSLambdaVPCAccessExecutionRole": (
        "Lambda makes network interfaces in the function's name, and ec2:Describe* knows no "
        "resources; in the private subnets they lead nowhere else."
    ),
}
# The function of the webhook is outside the VPC.
OF_WEBHOOK = {name: why for name, why in OF_FUNCTIONS.items() if "VPC" not in name}
# AWS services get these, by role. None of our code runs with these roles.
OF_SERVICES = {
    "CodeDeployServiceRole": {
        "AWSCodeDeployRoleForLambda": (
            "SAM's. CodeDeploy moves aliases, reads alarms and publishes to SNS, with `*`; reads "
            "S3 and invokes functions whose names say that they are for CodeDeploy."
        )
    },
    "DatabaseMonitoringRole": {
        "AmazonRDSEnhancedMonitoringRole": "RDS writes log groups whose names begin with RDS."
    },
    "FlowLogsRole": {},
    "ProxyRole": {},
    "ExecutionRole": {},
}
# Our code runs with these in containers. Their rights are in the template, one by one.
OF_CONTAINERS: dict[str, dict[str, str]] = {"EdgeRole": {}, "RelayRole": {}}


def stars():
    found = set()
    for path in TEMPLATES:
        for name, resource in iam.read(path)["Resources"].items():
            for statement in iam.statements(resource):
                if "*" in json.dumps([statement.get("Action"), statement.get("Resource")]):
                    found.add((path, name))
    return found


def test_no_policy_has_an_unexplained_wildcard():
    there = {(path, name) for path, name in STARS if (ROOT / path).exists()}

    assert stars() == there, "narrow it, or explain it in STARS"


def test_no_statement_allows_by_exclusion():
    for path in TEMPLATES:
        for statement in iam.statements(iam.read(path)):
            assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), path


def test_only_public_endpoints_are_open_to_everybody():
    found = {
        (path, name)
        for path in TEMPLATES
        for name, permission in iam.of_type("AWS::Lambda::Permission", iam.read(path)).items()
        if permission["Principal"] == "*"
    }

    assert found == OPEN_DOORS


def test_each_role_has_only_accepted_aws_managed_policies():
    """Check what production deploys, including the roles of the canary and the stores."""
    stacks = [iam.transformed(), *map(iam.read, TEMPLATES[1:])]
    roles = {n: role for one in stacks for n, role in iam.of_type("AWS::IAM::Role", one).items()}
    of_functions = {f"{name}Role": OF_FUNCTIONS for name in iam.functions().values()}
    of_webhook = {"WebhookFunctionRole": OF_WEBHOOK}
    accepted = of_functions | of_webhook | OF_SERVICES | OF_CONTAINERS

    found = {name: iam.managed_policies(role) for name, role in roles.items()}

    assert found == {name: set(policies) for name, policies in accepted.items()}


@pytest.mark.parametrize("function", iam.functions().values())
def test_every_role_belongs_to_one_function(function):
    properties = iam.of_type("AWS::Lambda::Function")[function]

    assert properties["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}


def test_from_inside_the_network_only_resources_of_this_account_can_be_used():
    """ECR's bucket belongs to AWS. It can only be read."""
    endpoints = iam.of_type("AWS::EC2::VPCEndpoint", iam.read("infra/aws/network.yaml"))

    for name, endpoint in endpoints.items():
        for statement in iam.statements(endpoint):
            if name == "ImageLayersEndpoint":
                assert statement["Action"] == "s3:GetObject"
            else:
                assert "aws:Principal" in json.dumps(statement["Condition"]), name


def test_from_inside_the_network_nobody_but_an_operator_receives():
    """Lambda receives for the functions. Stolen credentials of one must not remove messages."""
    endpoint = iam.read("infra/aws/network.yaml")["Resources"]["SqsEndpoint"]

    for statement in iam.statements(endpoint):
        if {"sqs:ReceiveMessage", "sqs:DeleteMessage"} & set(iam.listed(statement["Action"])):
            assert statement["Condition"] == {
                "ArnEquals": {"aws:PrincipalArn": {"Ref": "OperatorRole"}}
            }
