"""CloudFormation change sets: what a deployment would change, before it does."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from flashsale_local.problems import Problem

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        ParameterTypeDef,
        TagTypeDef,
        WaiterConfigTypeDef,
    )

NAME = "flashsale-release"
# Seconds between two polls, and how many polls: a database takes its time.
POLL: "WaiterConfigTypeDef" = {"Delay": 5, "MaxAttempts": 720}
POLL_CHANGE_SET: "WaiterConfigTypeDef" = {"Delay": 2, "MaxAttempts": 150}
# States of a stack that never came up. No change set can repair it.
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would change.

    Attributes:
        action: Add, Modify, Remove, Import or Dynamic.
        replaced: whether it would be deleted and created again, which loses its data.

    """

    action: str
    resource: str
    kind: str
    replaced: bool


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The proposed changes of one stack. Nothing has changed yet.

    Attributes:
        id: its ARN; "" if nothing would change.

    """

    stack_name: str
    changes: tuple[Change, ...]
    id: str
    creates: bool

    def execute(self) -> None:
        """Make the changes, and wait until CloudFormation is done.

        Raises:
            Problem: CloudFormation could not make the changes.

        """
        if not self.id:
            return
        client = boto3.client("cloudformation")
        client.execute_change_set(ChangeSetName=self.id)
        done = "stack_create_complete" if self.creates else "stack_update_complete"
        try:
            client.get_waiter(done).wait(  # type: ignore[call-overload]
                StackName=self.stack_name, WaiterConfig=POLL
            )
        except WaiterError as error:
            status = _status(client, self.stack_name) or "gone"
            raise Problem(
                f"The stack {self.stack_name!r} did not come up and is {status} now: "
                f"{_first_failure(client, self.stack_name)}",
                _way_out(self.stack_name, status),
            ) from error

    def drop(self) -> None:
        """Delete the change set, and the stack if it was created only for the change set."""
        client = boto3.client("cloudformation")
        if self.id:
            client.delete_change_set(ChangeSetName=self.id)
        if self.creates:
            client.delete_stack(StackName=self.stack_name)


def propose(
    stack_name: str,
    template: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str] | None = None,
) -> ChangeSet:
    """Ask CloudFormation what `template` with these parameters would change.

    Args:
        parameters: a parameter that is left out gets the template's default, not the stack's
            present value.

    Raises:
        Problem: CloudFormation rejects them, or the stack is the rest of a failed deployment.

    """
    client = boto3.client("cloudformation")
    creates = _ready(client, stack_name)
    given: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
    ]
    labels: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    try:
        made = client.create_change_set(
            StackName=stack_name,
            ChangeSetName=NAME,
            ChangeSetType="CREATE" if creates else "UPDATE",
            TemplateBody=template,
            Parameters=given,
            Tags=labels,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )["Id"]
    except ClientError as error:
        raise Problem(
            f"CloudFormation rejects {stack_name!r}: {error.response['Error']['Message']}",
            "Fix the template or the parameters in samconfig.toml.",
        ) from error
    try:
        client.get_waiter("change_set_create_complete").wait(
            ChangeSetName=made, WaiterConfig=POLL_CHANGE_SET
        )
    except WaiterError as error:
        reason = client.describe_change_set(ChangeSetName=made).get("StatusReason", "")
        client.delete_change_set(ChangeSetName=made)
        if any(words in reason for words in NOTHING_TO_DO):
            return ChangeSet(stack_name, (), "", creates=False)
        raise Problem(
            f"CloudFormation rejects {stack_name!r}: {reason}",
            "Fix the template or the parameters in samconfig.toml.",
        ) from error
    pages = client.get_paginator("describe_change_set").paginate(ChangeSetName=made)
    changes = tuple(_change(row["ResourceChange"]) for page in pages for row in page["Changes"])
    return ChangeSet(stack_name, changes, made, creates)


def outputs(stack_name: str) -> dict[str, str]:
    """Return the outputs of a stack, by name."""
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return {row["OutputKey"]: row["OutputValue"] for row in stack.get("Outputs", [])}


def _change(row: Any) -> Change:
    replaced = row.get("Replacement") in ("True", "Conditional")
    return Change(row["Action"], row["LogicalResourceId"], row["ResourceType"], replaced)


def _ready(client: "CloudFormationClient", stack_name: str) -> bool:
    """Delete the change set of an interrupted run; return whether the stack must be created."""
    status = _status(client, stack_name)
    if not status:
        return True
    if status in DEAD:
        raise Problem(
            f"The stack {stack_name!r} is {status}: nothing can be changed in it.",
            _way_out(stack_name, status),
        )
    with suppress(client.exceptions.ChangeSetNotFoundException):
        client.delete_change_set(StackName=stack_name, ChangeSetName=NAME)
    return status == "REVIEW_IN_PROGRESS"


def _status(client: "CloudFormationClient", stack_name: str) -> str:
    """Return the status of the stack, or "" if there is none."""
    try:
        (stack,) = client.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return ""
        raise
    return stack["StackStatus"]


def _way_out(stack_name: str, status: str) -> str:
    if status not in DEAD:
        return "Fix the resource that is named, and try again."
    return (
        f"Delete it first: `aws cloudformation delete-stack --stack-name {stack_name}`, "
        'and see "When a stack does not come up" in docs/deploy.md.'
    )


def _first_failure(client: "CloudFormationClient", stack_name: str) -> str:
    """Return what failed first since the last change of the stack began.

    CloudFormation lists the newest events first.
    """
    first = "no event says why"
    for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_name):
        for event in page["StackEvents"]:
            status = event.get("ResourceStatus", "")
            if status.endswith("_FAILED"):
                first = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            of_stack = event.get("PhysicalResourceId") == event["StackId"]
            if of_stack and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                return first
    return first
