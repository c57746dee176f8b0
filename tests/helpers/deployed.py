"""Build and deploy the application for tests."""

from collections.abc import Mapping

from flashsale_local.deployment import deploy
from flashsale_local.deployment.target import Target
from flashsale_local.stack.stack import Stack


def build_and_deploy(stack: Stack, target: Target, parameters: Mapping[str, str]) -> None:
    """Build the application and deploy it to the emulator."""
    logs = stack.directory / "logs"
    with deploy.building():
        deploy.build("local", parameters, logs / "sam-build.log")
        deploy.deploy("local", target.stack_name, parameters, logs / "sam-deploy.log")
    target.cloud.finish_deploy(target.stack_name, parameters)
