"""Change sets that fail. CloudFormation is faked, because emulators never fail them.

Those that do not fail are made on the emulator, in tests/e2e/deployments/test_deploy.py.
"""

import json
from datetime import UTC, datetime
from unittest.mock import Mock

import boto3
import pytest
import typer
from botocore.stub import Stubber

from flashsale_local.cli import deploy
from flashsale_local.deployment import changes
from flashsale_local.deployment.steps import Step
from flashsale_local.problems import Problem

NAME = "shop"
TEMPLATE = json.dumps({"Resources": {"A": {"Type": "AWS::SQS::Queue"}}})
QUIET = {"Delay": 0, "MaxAttempts": 1}


@pytest.fixture
def told(monkeypatch):
    """Let the test choose the answers of CloudFormation."""
    client = boto3.client(
        "cloudformation",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    monkeypatch.setattr(changes, "POLL", QUIET)
    monkeypatch.setattr(changes, "POLL_CHANGE_SET", QUIET)
    monkeypatch.setattr(boto3, "client", lambda _: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def stack(status):
    row = {"StackName": NAME, "StackStatus": status, "CreationTime": datetime.now(UTC)}
    return {"Stacks": [row]}


def event(resource, status, reason="", physical="p-1"):
    return {
        "StackId": "s-1", "EventId": f"{resource}-{status}-{reason}", "StackName": NAME,
        "LogicalResourceId": resource, "PhysicalResourceId": physical, "ResourceStatus": status,
        "ResourceStatusReason": reason, "Timestamp": datetime.now(UTC),
    }  # fmt: skip


def failed_change_set(told, reason):
    told.add_response("describe_stacks", stack("UPDATE_COMPLETE"))
    told.add_response("delete_change_set", {})
    told.add_response("create_change_set", {"Id": "arn:aws:change-set/1"})
    for _ in range(2):
        told.add_response("describe_change_set", {"Status": "FAILED", "StatusReason": reason})
    told.add_response("delete_change_set", {}, {"ChangeSetName": "arn:aws:change-set/1"})


def test_no_change_is_no_failure(told):
    failed_change_set(told, "The submitted information didn't contain changes.")

    proposed = changes.propose(NAME, TEMPLATE, {})
    proposed.execute()  # and no question is asked

    assert proposed.changes == ()


def test_a_failed_change_set_is_reported_and_deleted(told):
    failed_change_set(told, "Export x cannot be deleted")

    with pytest.raises(Problem, match="Export x cannot be deleted"):
        changes.propose(NAME, TEMPLATE, {})


def test_a_template_that_cloudformation_rejects_is_reported(told):
    told.add_client_error("describe_stacks", "ValidationError", f"{NAME} does not exist")
    told.add_client_error("create_change_set", "ValidationError", "Template format error")

    with pytest.raises(Problem, match="Template format error"):
        changes.propose(NAME, TEMPLATE, {})


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_stack_of_a_failed_first_release_must_be_deleted(told, status):
    told.add_response("describe_stacks", stack(status))

    with pytest.raises(Problem, match=status) as caught:
        changes.propose(NAME, TEMPLATE, {})

    assert f"delete-stack --stack-name {NAME}" in caught.value.way_out


@pytest.mark.parametrize(
    ("creates", "began", "status", "advice"),
    [
        (False, "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", "try again"),
        (True, "CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "delete-stack"),
        (True, "CREATE_IN_PROGRESS", "ROLLBACK_FAILED", "delete-stack"),
    ],
)
def test_a_failed_release_names_its_first_failure_and_the_stacks_status(
    told, creates, began, status, advice
):
    told.add_response("execute_change_set", {})
    told.add_response("describe_stacks", stack(status))  # for the waiter
    told.add_response("describe_stacks", stack(status))
    newest_first = [
        event(NAME, status, physical="s-1"),
        event("Proxy", "CREATE_FAILED", "Resource creation cancelled"),
        event("Cache", "CREATE_FAILED", "no such node type"),
    ]
    before = [event(NAME, began, physical="s-1"), event("Old", "UPDATE_FAILED", "last month")]
    told.add_response("describe_stack_events", {"StackEvents": newest_first, "NextToken": "2"})
    told.add_response("describe_stack_events", {"StackEvents": before})

    with pytest.raises(Problem, match=f"is {status} now: Cache: no such node type") as caught:
        changes.ChangeSet(NAME, (), "arn:aws:change-set/1", creates).execute()

    assert advice in caught.value.way_out


@pytest.mark.parametrize("answer", [KeyboardInterrupt, typer.Abort])
def test_ending_the_question_deletes_the_change_set(told, monkeypatch, answer):
    proposed = changes.ChangeSet(
        NAME, (changes.Change("Add", "A", "AWS::SQS::Queue", False),), "arn:aws:change-set/1", False
    )
    monkeypatch.setattr(changes, "propose", lambda *_: proposed)
    monkeypatch.setattr(typer, "confirm", Mock(side_effect=answer))
    told.add_response("delete_change_set", {}, {"ChangeSetName": proposed.id})

    with pytest.raises(answer):
        deploy._change_stack(Step(NAME, lambda: TEMPLATE, lambda _: {}), {}, {}, ask=True)
