"""The parts of `infra/aws/` that the emulator supports. docs/deploy.md names the others."""

import json
import re

import boto3
import pytest
from cfnlint.decode import decode

from flashsale_local.deployment import changes
from flashsale_local.paths import ROOT
from flashsale_local.stack.ministack import ministack
from flashsale_local.stack.program import free_port

# Resource types and an attribute that ministack 1.5.33 does not support.
UNKNOWN = {
    "AWS::EC2::EIP", "AWS::EC2::FlowLog", "AWS::EC2::NatGateway", "AWS::EC2::SecurityGroupIngress",
    "AWS::MemoryDB::ACL", "AWS::MemoryDB::Cluster", "AWS::MemoryDB::SubnetGroup",
    "AWS::MemoryDB::User", "AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup",
    "AWS::WAFv2::LoggingConfiguration",
}  # fmt: skip
UNKNOWN_ATTRIBUTE = "MasterUserSecret"


def load(name):
    template, problems = decode(str(ROOT / "infra" / "aws" / f"{name}.yaml"))
    assert not problems
    return json.loads(json.dumps(template))


def without_the_unknown(template):
    """Return the supported part of the template, and the unsupported types."""
    kept = template["Resources"]
    gone = {name for name, one in kept.items() if one["Type"] in UNKNOWN}
    while refer := {
        name
        for name, one in kept.items()
        if name not in gone and mentions(one.get("Properties", {}), gone)
    }:
        gone |= refer
    lost = {kept.pop(name)["Type"] for name in gone}
    for one in kept.values():
        needs = one.pop("DependsOn", [])
        one["DependsOn"] = [n for n in ([needs] if isinstance(needs, str) else needs) if n in kept]
    outputs = template["Outputs"]
    template["Outputs"] = {n: o for n, o in outputs.items() if not mentions(o, gone)}
    return template, lost & UNKNOWN


def mentions(value, names):
    """Return whether a Ref, a GetAtt or a Sub names one of these resources."""
    text = json.dumps(value)
    referred = set(re.findall(r'"Ref": "(\w+)"', text))
    referred |= set(re.findall(r'"Fn::GetAtt": \["(\w+)"', text))
    referred |= set(re.findall(r"\$\{(\w+)[.}]", text))
    return bool(referred & names) or UNKNOWN_ATTRIBUTE in re.findall(r'"(\w+)\.', text)


@pytest.fixture(scope="module")
def emulator(stack):
    """Start a ministack with the services of `infra/aws`, apart from the functions' one."""
    port = free_port()
    program = ministack(stack.directory / "aws", port)
    environment = {**program.environment, "SERVICES": ""}
    stack.add(type(program)(**{**vars(program), "name": "aws", "environment": environment}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", program.url)
        yield program
    stack.supervisor.stop_program("aws")


def deploy(name, parameters):
    template, _ = without_the_unknown(load(name))
    stack_name = f"flashsale-{name}"
    proposed = changes.propose(
        stack_name, json.dumps(template), parameters, {"environment": "test"}
    )
    assert len(proposed.changes) == len(template["Resources"])
    proposed.execute()
    return changes.outputs(stack_name)


@pytest.fixture(scope="module")
def network(emulator):
    return deploy("network", {"Nat": "true"})


@pytest.fixture(scope="module")
def data(network):
    return deploy(
        "data",
        {
            "VpcId": network["VpcId"],
            "SubnetIds": network["SubnetIds"],
            "FunctionsSecurityGroup": network["SecurityGroupIds"],
            "DeletionProtection": "false",
            "RedisShards": "3",  # ministack accepts 1 or 3, AWS also 2
        },
    )


def test_three_private_subnets_are_closed_to_the_outside(network):
    ec2 = boto3.client("ec2")
    ids = network["SubnetIds"].split(",")
    subnets = ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    groups = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [network["VpcId"]]}]
    )["SecurityGroups"]

    assert len({one["AvailabilityZone"] for one in subnets}) == 3
    assert len({one["CidrBlock"] for one in subnets}) == 3
    for group in groups:
        if group["GroupName"] != "default":
            for rule in group["IpPermissions"]:
                assert not rule.get("IpRanges"), "only from another security group"


def test_the_stores_are_encrypted_and_kept(data):
    (group,) = boto3.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    (database,) = boto3.client("rds").describe_db_clusters()["DBClusters"]
    (key,) = [k["KeyId"] for k in boto3.client("kms").list_keys()["Keys"]]

    assert group["TransitEncryptionEnabled"]
    assert group["AtRestEncryptionEnabled"]
    assert group["ClusterEnabled"]
    assert group["SnapshotRetentionLimit"] == 14
    assert database["StorageEncrypted"]
    assert boto3.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_redis_has_a_password_that_no_output_shows(data):
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=data["RedisSecretArn"])
    made = json.loads(secret["SecretString"])

    assert made["username"] == "flashsale"
    assert len(made["password"]) == 64
    assert made["password"] not in json.dumps(data)


def test_the_firewall_stands_before_the_api(emulator):
    deploy(
        "edge",
        {
            "ApiDomain": "abc.execute-api.us-east-1.amazonaws.com",
            "DomainName": "shop.example.org",
            "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0",
        },
    )
    (summary,) = boto3.client("wafv2").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    listed = boto3.client("cloudfront").list_distributions()["DistributionList"]["Items"]

    assert [one["WebACLId"] for one in listed] == [summary["ARN"]]


def test_the_documentation_names_what_is_validated_only():
    text = (ROOT / "docs" / "deploy.md").read_text()
    told = set(re.findall(r"AWS::\w+::\w+", text.partition("## What was run where")[2]))
    lost = set()
    for path in (ROOT / "infra" / "aws").glob("*.yaml"):
        lost |= without_the_unknown(load(path.stem))[1] if path.stem != "monitoring" else set()

    assert lost == UNKNOWN
    assert lost <= told
