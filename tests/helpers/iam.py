"""The rights of each function in `template.yaml`, after SAM's transform."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from cfnlint.decode import decode

from flashsale_desk.transformed import transformed as production
from flashsale_local.paths import ROOT

# An action, and the logical id of its resource. Other resources are kept unchanged.
Grant = tuple[str, str]

# Actions that Lambda performs with a function's role on a queue that it polls.
POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def read(path: str) -> dict[str, Any]:
    """Return a template with short forms such as !Ref in their long form."""
    document, problems = decode(str(ROOT / path))
    assert not problems
    loaded: dict[str, Any] = json.loads(json.dumps(document))
    return loaded


@cache
def transformed() -> dict[str, Any]:
    """Return `template.yaml` after SAM's transform with production's parameters, offline."""
    return production()


def functions() -> dict[str, str]:
    """Return the logical ids of all functions by the folder of their code."""
    found = of_type("AWS::Serverless::Function", read("template.yaml"))
    return {p["CodeUri"].strip("/").rpartition("/")[2]: name for name, p in found.items()}


def of_type(kind: str, template: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the properties of all resources of a type by logical id."""
    resources = (template or transformed())["Resources"].items()
    return {name: made["Properties"] for name, made in resources if made["Type"] == kind}


def managed_policies(role: dict[str, Any]) -> set[str]:
    """Return the names of the AWS managed policies of a role."""
    arns = map(json.dumps, role.get("ManagedPolicyArns", []))
    return {arn.rstrip('"]}').rpartition("/")[2] for arn in arns}


def granted(function: str) -> set[Grant]:
    """Return the grants of its role, without those of AWS managed policies."""
    role = of_type("AWS::IAM::Role")[f"{function}Role"]
    attached = [
        policy
        for policy in of_type("AWS::IAM::Policy").values()
        if {"Ref": f"{function}Role"} in policy["Roles"]
    ]
    return {
        grant
        for policy in [*role.get("Policies", []), *attached]
        for statement in listed(policy["PolicyDocument"]["Statement"])
        for grant in _grants(statement)
    }


def used_by_lambda(function: str) -> set[Grant]:
    """Return the grants that Lambda needs to poll and to keep failed invocations."""
    reference = {"Ref": function}
    polled = [
        target(mapping["EventSourceArn"])
        for mapping in of_type("AWS::Lambda::EventSourceMapping").values()
        if mapping["FunctionName"] == reference
    ]
    kept = [
        target(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type("AWS::Lambda::EventInvokeConfig").values()
        if config["FunctionName"] == reference
    ]
    return {(action, queue) for queue in polled for action in POLLING} | {
        ("sqs:SendMessage", queue) for queue in kept
    }


def statements(node: Any) -> Iterator[dict[str, Any]]:
    """Return all statements of all policies in a template."""
    if isinstance(node, dict):
        if "Effect" in node:
            yield node
        for part in node.values():
            yield from statements(part)
    elif isinstance(node, list):
        for part in node:
            yield from statements(part)


def listed(value: Any) -> list[Any]:
    """Return a list of one or many values, because IAM accepts both forms."""
    return value if isinstance(value, list) else [value]


def target(resource: Any) -> str:
    """Return the logical id to which an ARN refers, or the value itself."""
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]} | {"Ref": str(name)}:
            return name
        case str():
            return resource
    return json.dumps(resource)


def _grants(statement: dict[str, Any]) -> Iterator[Grant]:
    assert statement["Effect"] == "Allow"
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield action, target(resource)
