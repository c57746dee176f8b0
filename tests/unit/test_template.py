"""Rules that `template.yaml` keeps."""

import ast
import json
import re
import tomllib
from typing import Any

import pytest
from cfnlint.decode import decode

from flashsale_local.paths import ROOT


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    document, problems = decode(str(ROOT / "template.yaml"))
    assert not problems
    return json.loads(json.dumps(document))


def resources(template, kind):
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def test_every_queue_that_a_function_reads_leads_to_one_that_none_reads(template):
    queues = resources(template, "AWS::SQS::Queue")
    mappings = resources(template, "AWS::Lambda::EventSourceMapping").values()
    read = {mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings}

    for name in read:
        passed = [name]
        while policy := queues[passed[-1]].get("RedrivePolicy"):
            following = policy["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert following not in passed, "a circle"
            passed.append(following)
        assert passed[-1] not in read, "what no function could process must stay for people"


def test_visibility_is_six_times_the_function_timeout(template):
    timeout = template["Globals"]["Function"]["Timeout"]

    assert template["Parameters"]["VisibilityTimeout"]["Default"] == 6 * timeout


def test_every_mapping_reports_partial_failures_and_has_a_limit(template):
    for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"]


def test_production_reserves_as_much_as_the_mappings_use(template):
    mappings = resources(template, "AWS::Lambda::EventSourceMapping").values()
    most = {m["FunctionName"]["Ref"]: m["ScalingConfig"]["MaximumConcurrency"] for m in mappings}
    configuration = tomllib.loads((ROOT / "samconfig.toml").read_text())
    given = configuration["prod"]["deploy"]["parameters"]["parameter_overrides"].split()

    for name in ("Order", "Rollback", "Payment"):
        assert f"{name}ReservedConcurrency={most[f'{name}Function']}" in given


def test_every_function_has_a_failure_destination_and_a_log_group(template):
    config = template["Globals"]["Function"]["EventInvokeConfig"]
    groups = resources(template, "AWS::Logs::LogGroup")
    kept = {group["LogGroupName"]["Fn::Sub"] for group in groups.values()}

    assert config["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
    assert all("RetentionInDays" in group for group in groups.values())
    for function in resources(template, "AWS::Serverless::Function").values():
        name = function["FunctionName"]["Fn::Sub"]
        assert f"/aws/lambda/{name}" in kept


def test_no_function_imports_another():
    for path in (ROOT / "functions").glob("*/*.py"):
        tree = ast.parse(path.read_text())
        names = [
            n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names
        ]
        names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if re.match(r"(functions|infra|app)\b", name)], path


def test_deployed_versions_are_the_tested_ones():
    def pins(path):
        return dict(
            re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==([^ ]+)", path.read_text(), re.MULTILINE)
        )

    tested = pins(ROOT / "requirements" / "dev.txt")
    for folder in ("layers/flashsale", "layers/tracing", "functions/buy", "functions/admin"):
        for name, version in pins(ROOT / folder / "requirements.txt").items():
            assert tested[name] == version, f"{folder}: {name}"
