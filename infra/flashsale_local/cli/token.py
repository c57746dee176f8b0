"""The command that mints tokens for the local stack."""

from typing import Annotated

import typer

from flashsale_local.deployment import sign_in
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem


def token(
    user: Annotated[str, typer.Option(help="Whose token; its `sub`.")],
    admin: Annotated[bool, typer.Option(help="May use /api/admin.")] = False,  # noqa: FBT002
    minutes: Annotated[float, typer.Option(help="How long it is valid.")] = 60.0,
) -> None:
    """Print a token for the local stack. Tokens on AWS come from your identity provider.

    Example: [bold]curl -H "Authorization: Bearer $(flashsale token --user u-00001)" …[/]
    """
    target = Target.load(LOCAL)
    if not target.token_secret:
        raise Problem(
            "This stack believes no tokens of its own.",
            "Start the local stack with `make up`; elsewhere ask the issuer of the tokens.",
        )
    print(sign_in.mint(target.token_secret, user, admin=admin, minutes=minutes))  # noqa: T201
