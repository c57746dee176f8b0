"""`infra/aws/`: the emulator gets what it supports, and docs/deploy.md names the rest."""

import json
import mimetypes
import re

import boto3
import httpx
import pytest
from cfnlint.decode import decode

from flashsale.http.errors import SECURITY_HEADERS
from flashsale_local.deployment import changes
from flashsale_local.paths import ROOT
from flashsale_local.stack.ministack import ministack
from flashsale_local.stack.program import free_port
from flashsale_server.edge.shop_front import POLICY

# Resource types and an attribute that ministack 1.5.33 does not support.
UNKNOWN = {
    "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::EC2::EIP", "AWS::EC2::FlowLog", "AWS::EC2::NatGateway", "AWS::EC2::SecurityGroupIngress",
    "AWS::MemoryDB::ACL", "AWS::MemoryDB::Cluster", "AWS::MemoryDB::SubnetGroup",
    "AWS::MemoryDB::User", "AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup",
    "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation",
}  # fmt: skip
UNKNOWN_ATTRIBUTE = "MasterUserSecret"
REDIS_URL = (
    "rediss+cluster://flashsale:{{{{resolve:secretsmanager:{}:SecretString:password}}}}@redis:6379"
)


def load(name):
    template, problems = decode(str(ROOT / "infra" / "aws" / f"{name}.yaml"))
    assert not problems
    return json.loads(json.dumps(template))


def without_the_unknown(template):
    """Return the supported part of a template, and the types that are not supported."""
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
    """A ministack with all services. The one that runs the functions has only a few."""
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
def edge(emulator):
    return deploy(
        "edge",
        {
            "ApiDomain": "abc.execute-api.us-east-1.amazonaws.com",
            "DomainName": "shop.example.org",
            "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0",
        },
    )


@pytest.fixture(scope="module")
def network(emulator):
    return deploy("network", {"Nat": "true", "Containers": "true"})


@pytest.fixture(scope="module")
def data(network):
    return deploy(
        "data",
        {
            "VpcId": network["VpcId"],
            "SubnetIds": network["SubnetIds"],
            "FunctionsSecurityGroup": network["SecurityGroupIds"],
            "DeletionProtection": "false",
            "RedisShards": "3",  # ministack wants 1 or 3; AWS takes 2 as well
        },
    )


@pytest.fixture(scope="module")
def containers(network, data):
    return deploy(
        "container",
        {
            "ImageUri": f"000000000000.dkr.ecr.us-east-1.amazonaws.com/flashsale@sha256:{'0' * 64}",
            "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/0",
            "VpcId": network["VpcId"],
            "VpcCidr": network["VpcCidr"],
            "PublicSubnetIds": network["PublicSubnetIds"],
            "SubnetIds": network["SubnetIds"],
            "FunctionsSecurityGroup": network["SecurityGroupIds"],
            "RedisUrl": REDIS_URL.format(data["RedisSecretArn"]),
            "DatabaseUrl": "postgresql://flashsale@proxy.example.org:5432/flashsale",
            "DatabaseUserArn": "arn:aws:rds-db:us-east-1:000000000000:dbuser:prx-0/flashsale",
            "KeyArn": data["KeyArn"],
            "JwtIssuer": "https://issuer.example.org/",
            "JwtAudience": "flashsale",
            "Firewall": "true",
        },
    )


def test_three_private_subnets_are_closed_to_the_internet(network):
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
                assert not rule.get("IpRanges"), "only from another group"


def test_the_stores_are_encrypted_and_backed_up(data):
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


def test_the_firewall_protects_the_distribution(edge):
    (summary,) = boto3.client("wafv2").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    listed = boto3.client("cloudfront").list_distributions()["DistributionList"]["Items"]

    assert [one["WebACLId"] for one in listed] == [summary["ARN"]]


@pytest.fixture
def visit(edge, emulator):
    """Return a function that sends a request to the distribution, as a browser would."""
    bucket = boto3.client("s3")
    for path in (ROOT / "web").iterdir():
        bucket.upload_file(str(path), edge["ShopBucket"], f"shop/files/{path.name}", ExtraArgs={
            "CacheControl": "no-cache", "ContentType": mimetypes.guess_type(path)[0],
        })  # fmt: skip

    def send(path, scheme="https", method="GET"):
        host = {"host": edge["DistributionDomain"], "x-forwarded-proto": scheme}
        return httpx.request(method, f"{emulator.url}{path}", headers=host, timeout=30)

    return send


def test_the_shop_front_comes_from_the_bucket_as_from_the_asgi_edge(visit):
    """ministack would run the function of /shop/p-01 by Node, which nothing else here needs."""
    page = visit("/shop/files/shop.html?utm_source=x")
    script = visit("/shop/files/draw.js")

    assert page.content == (ROOT / "web" / "shop.html").read_bytes()
    assert script.content == (ROOT / "web" / "draw.js").read_bytes()
    expected = SECURITY_HEADERS | {"content-security-policy": POLICY, "cache-control": "no-cache"}
    for answer in (page, script):
        assert answer.status_code == 200
        assert {name: answer.headers.get_list(name) for name in expected} == {
            name: [value] for name, value in expected.items()
        }


def test_a_visitor_of_the_shop_front_is_led_to_https(visit):
    answer = visit("/shop/p-01", scheme="http")

    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://")


def test_the_distribution_lists_and_takes_no_files(visit):
    for path in ("/shop/files/missing.js", "/shop/files/"):
        assert visit(path).status_code == 403, path
    assert visit("/shop/files/draw.js", method="PUT").status_code == 403


def test_the_bucket_of_the_shop_is_closed_and_keeps_old_versions(edge):
    s3, bucket = boto3.client("s3"), edge["ShopBucket"]
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]

    assert len(blocked) == 4
    assert all(blocked.values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]


def test_containers_are_behind_the_load_balancer(containers, network):
    elbv2, ecs = boto3.client("elbv2"), boto3.client("ecs")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    cluster = "flashsale-container"
    services = ecs.describe_services(cluster=cluster, services=["edge", "relay"])["services"]
    edge, relay = sorted(services, key=lambda one: one["serviceName"])

    assert containers["BalancerDomain"] == balancer["DNSName"]
    assert balancer["Scheme"] == "internet-facing"
    zones = {zone["SubnetId"] for zone in balancer["AvailabilityZones"]}
    assert zones == set(network["PublicSubnetIds"].split(","))
    assert {one["Protocol"] for one in listeners} == {"HTTP", "HTTPS"}
    assert [one["containerPort"] for one in edge["loadBalancers"]] == [8000]
    assert relay["desiredCount"] == 1


def test_only_a_secret_has_the_password_of_the_containers(containers, data):
    """ministack keeps no `secrets` of a task, so a unit test reads that part in the template."""
    secrets = boto3.client("secretsmanager")
    made = secrets.get_secret_value(SecretId=data["RedisSecretArn"])["SecretString"]
    password = json.loads(made)["password"]
    listed = secrets.list_secrets()["SecretList"]
    (url,) = [one["ARN"] for one in listed if "REDIS_URL" in one["Description"]]
    task = boto3.client("ecs").describe_task_definition(taskDefinition="flashsale-container-edge")

    url = secrets.get_secret_value(SecretId=url)["SecretString"]
    assert url == f"rediss+cluster://flashsale:{password}@redis:6379"
    assert password not in json.dumps(task, default=str)
    assert password not in json.dumps(containers)


def test_the_documentation_names_the_types_that_are_only_validated():
    text = (ROOT / "docs" / "deploy.md").read_text()
    told = set(re.findall(r"AWS::\w+::\w+", text.partition("## What was run where")[2]))
    lost = set()
    for path in (ROOT / "infra" / "aws").glob("*.yaml"):
        lost |= without_the_unknown(load(path.stem))[1] if path.stem != "monitoring" else set()

    assert lost == UNKNOWN
    assert lost <= told
