"""The build for LocalStack's Docker executor, which does not apply layers."""

import json
from dataclasses import replace

import boto3

from flashsale_local.deployment import deploy


def test_the_functions_contain_the_layer(deployed, stack):
    target = replace(deployed, stack_name=f"{deployed.stack_name}-flat")
    parameters = deploy.local_parameters(target)
    logs = stack.directory / "logs"
    with deploy.building():
        try:
            deploy.build("local", parameters, logs / "flat-build.log", flat=True)
            assert not list((deploy.BUILT / "SharedLayer").rglob("*.py"))
            deploy.deploy("local", target.stack_name, parameters, logs / "flat-deploy.log")
        finally:
            deploy.build("local", parameters, logs / "sam-build.log")  # other tests expect it
    target.cloud.finish_deploy(target.stack_name, parameters)

    assert deploy.migrate(target) == []
    answer = boto3.client("lambda").invoke(
        FunctionName=f"{target.stack_name}-buy", Payload=json.dumps(GET_HEALTH)
    )
    assert json.loads(answer["Payload"].read())["statusCode"] == 200


GET_HEALTH = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/health",
    "rawQueryString": "",
    "headers": {"host": "localhost"},
    "requestContext": {
        "requestId": "flat",
        "http": {"method": "GET", "path": "/health", "sourceIp": "127.0.0.1"},
    },
    "isBase64Encoded": False,
}
