"""The command `flashsale token`."""

from typing import Annotated

import typer

from flashsale_local.deployment import sign_in
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem


def token(
    user: Annotated[str, typer.Option(help="The user of the token (`sub`).")],
    admin: Annotated[bool, typer.Option(help="Allow /api/admin.")] = False,  # noqa: FBT002
    minutes: Annotated[float, typer.Option(help="Minutes until it expires.")] = 60.0,
) -> None:
    """Print a token for the local stack. On AWS your identity provider issues tokens.

    Example: [bold]curl -H "Authorization: Bearer $(flashsale token --user u-00001)" …[/]
    """
    target = Target.load(LOCAL)
    if not target.token_secret:
        raise Problem(
            "This stack has no secret to sign tokens with.",
            "Start the local stack with `make up`, or get a token from the identity provider.",
        )
    print(sign_in.mint(target.token_secret, user, admin=admin, minutes=minutes))  # noqa: T201
