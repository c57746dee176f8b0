"""The command `flashsale env`."""

import shlex
from typing import Annotated

import typer
from rich.markup import escape

from flashsale.http.webhook import PATH
from flashsale_local.console import errors
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL


def env(
    unset: Annotated[bool, typer.Option("--unset", help="Print what undoes it.")] = False,  # noqa: FBT002
) -> None:
    """Print the addresses of the running stack as variables of the shell: API, AWS_ENDPOINT_URL, …

    API is the buyers' API by Lambda, and API_ASGI the same by granian, if it runs. On a local stack
    PROVIDER is the fake payment provider, WEBHOOK what it calls, and WEBHOOK_SECRET what it signs
    with. The AWS_… variables point the AWS CLI and boto3 at the emulator. `flashsale up` and the
    other commands recognize these addresses as the stack's own.

    Example: [bold]eval "$(flashsale env)"; curl -s $API/health[/]
    """
    target = Target.load(LOCAL)
    for name, value in variables(target).items():
        print(f"unset {name}" if unset else f"export {name}={shlex.quote(value)}")  # noqa: T201
    if not unset and target.api.headers:
        needed = ", ".join(f"{name}: {value}" for name, value in target.api.headers.items())
        errors.print(f"Each request to $API needs the header {escape(needed)}", soft_wrap=True)


def variables(target: Target) -> dict[str, str]:
    """Return the variables by name."""
    found = {"API": target.api.url}
    if target.asgi_url:
        found["API_ASGI"] = target.asgi_url
    if target.provider_url:
        found["PROVIDER"] = target.provider_url
    if target.webhook_secret:
        found |= {"WEBHOOK": target.webhook_endpoint.url + PATH}
        found |= {"WEBHOOK_SECRET": target.webhook_secret}
    return found | target.aws_environment
