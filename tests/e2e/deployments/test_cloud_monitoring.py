"""`infra/aws/monitoring.yaml`: it deploys, and watches only metrics that are emitted."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from cfnlint.decode import decode

from flashsale_local.logs.lines import fields_of, read_logs
from flashsale_local.paths import ROOT
from tests.e2e.conftest import body
from tests.helpers.support import USERS, eventually

FUNCTIONS = ("buy", "order", "sweep", "webhook", "payment")
# Of an order that does not exist, so the payment waits.
PAYMENT = {"id": "pi_early", "order_id": "gone:1-0", "amount": "7.50", "currency": "EUR"}
# Metrics that AWS emits according to its documentation, and their dimension.
OF_AWS = {
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, "QueueName"),
    "AWS/Lambda": ({"ConcurrentExecutions", "Duration", "Errors", "Throttles"}, "FunctionName"),
}


@pytest.fixture(scope="module")
def monitored(deployed):
    """The alarms of the deployed application's monitoring stack."""
    name = f"{deployed.stack_name}-monitoring"
    subprocess.run(
        [
            Path(sys.executable).parent / "sam", "deploy", "-t", "infra/aws/monitoring.yaml",
            "--stack-name", name, "--no-confirm-changeset", "--no-fail-on-empty-changeset",
            "--parameter-overrides", f"ApplicationStack={deployed.stack_name}",
            "AlarmEmail=on-call@example.org",
        ],
        cwd=ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=True, capture_output=True,
    )  # fmt: skip
    answer = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deployed.stack_name}-")
    yield answer["MetricAlarms"]
    boto3.client("cloudformation").delete_stack(StackName=name)


@pytest.fixture
def dashboard(monitored, deployed):
    """The dashboard of the template, because LocalStack creates none."""
    template, problems = decode(str(ROOT / "infra" / "aws" / "monitoring.yaml"))
    assert not problems
    arns = {alarm["AlarmName"].rpartition("-")[2]: alarm["AlarmArn"] for alarm in monitored}
    values = {f"{name}.Arn": arn for name, arn in arns.items()}
    values |= {"ApplicationStack": deployed.stack_name, "AWS::Region": "us-east-1"}
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], text))


@pytest.fixture
async def emitted(deployed, http, new_product):
    """(namespace, metric, dimensions) that the functions print.

    Two buyers want one unit, a stranger sends a webhook, and a payment comes before its order.
    """
    product_id = await new_product(1)
    for user in USERS[:2]:
        http.post("/api/v5/buy", json=body(product_id, user))
    async with deployed.webhook_endpoint.client() as stranger:
        await stranger.post("/api/payments/webhook", content="{}")
    url = deployed.queues["payments"]
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(PAYMENT))
    boto3.client("lambda").invoke(FunctionName=f"{deployed.stack_name}-sweep")

    def printed():
        groups = [f"/aws/lambda/{deployed.stack_name}-{name}" for name in FUNCTIONS]
        lines = [fields_of(line.message) for group in groups for line in read_logs(group, 10)]
        found = {metric for line in lines if "_aws" in line for metric in _metrics(line)}
        names = {name for _, name, _ in found}
        awaited = {"Claims", "OrdersConfirmed", "ClaimsSwept", "WebhooksRefused", "PaymentsApplied"}
        return found if awaited <= names else None

    return await asyncio.to_thread(eventually, printed)


def _metrics(line):
    """Yield the metrics of a line in the embedded metric format, as CloudWatch reads it."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                assert metric["Name"] in line
                yield directive["Namespace"], metric["Name"], dimensions


def _names_something_deployed(dimensions, stack_name):
    resources = boto3.client("cloudformation").list_stack_resources(StackName=stack_name)
    ids = {row["PhysicalResourceId"] for row in resources["StackResourceSummaries"]}
    ((_, value),) = dimensions
    return any(id_.rpartition("/")[2] == value for id_ in ids)


def test_every_alarm_of_the_template_exists_and_has_an_action(monitored):
    resources = (ROOT / "infra" / "aws" / "monitoring.yaml").read_text()

    assert len(monitored) == resources.count("Type: AWS::CloudWatch::Alarm") > 8
    for alarm in monitored:
        assert alarm["AlarmActions"]
        kind = alarm["AlarmName"].rpartition("-")[2].lower()
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md#{kind}")


def test_every_alarm_watches_a_metric_that_is_emitted(monitored, emitted, deployed):
    for alarm in monitored:
        dimensions = frozenset((d["Name"], d["Value"]) for d in alarm["Dimensions"])
        if alarm["Namespace"] in OF_AWS:
            metrics, dimension = OF_AWS[alarm["Namespace"]]
            assert alarm["MetricName"] in metrics
            assert {name for name, _ in dimensions} == {dimension}
            assert _names_something_deployed(dimensions, deployed.stack_name), alarm["AlarmName"]
        else:
            metric = (alarm["Namespace"], alarm["MetricName"], dimensions)
            assert metric in emitted, alarm["AlarmName"]


def test_every_widget_shows_a_metric_that_is_emitted(dashboard, emitted, deployed):
    widgets = [w for w in dashboard["widgets"] if w["type"] == "metric"]
    # No order failed here, so no line has that outcome. Its dimensions equal those of the others.
    known = {(space, name, frozenset(n for n, _ in pairs)) for space, name, pairs in emitted}

    assert len(widgets) > 8
    for widget in widgets:
        for namespace, name, *rest in widget["properties"]["metrics"]:
            pairs = [part for part in rest if isinstance(part, str)]
            dimensions = frozenset(zip(pairs[::2], pairs[1::2], strict=True))
            if namespace in OF_AWS:
                assert name in OF_AWS[namespace][0]
                assert _names_something_deployed(dimensions, deployed.stack_name), pairs
            else:
                assert (namespace, name, frozenset(pairs[::2])) in known, name


def test_the_alarms_widget_shows_all_alarms(dashboard, monitored):
    (shown,) = [w["properties"]["alarms"] for w in dashboard["widgets"] if w["type"] == "alarm"]

    assert sorted(shown) == sorted(alarm["AlarmArn"] for alarm in monitored)


def test_the_dashboard_exists(dashboard, deployed):
    """On ministack. LocalStack's free edition reports success, but creates no dashboard."""
    cloudwatch = boto3.client("cloudwatch")
    names = [row["DashboardName"] for row in cloudwatch.list_dashboards()["DashboardEntries"]]

    assert names.count(deployed.stack_name) == {"ministack": 1, "localstack": 0}[deployed.emulator]
    for name in names:
        assert (
            json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]) == dashboard
        )
