"""What CloudFormation says of the deployed application."""

import boto3
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from flashsale_local.problems import Problem, StackDown


def read_outputs(stack_name: str) -> dict[str, str]:
    """Return the outputs of a stack, by name.

    Raises:
        Problem: the application is not deployed, or the emulator or AWS does not answer.

    """
    try:
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack_name)
    except (NoConnection, HTTPClientError) as error:
        raise StackDown(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise Problem(
            f"The stack {stack_name!r} is not deployed: {error}",
            "Deploy it with `make up` (locally) or `flashsale deploy --env prod`.",
        ) from error
    outputs = answer["Stacks"][0].get("Outputs")
    if not outputs:  # the caller caches, and a deployment that still runs has no outputs yet
        raise Problem(
            f"The stack {stack_name!r} is being deployed.",
            "Try again when `flashsale up` or `flashsale deploy` is done.",
        )
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}
