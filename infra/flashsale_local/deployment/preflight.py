"""What is asked before anything happens on AWS: where to, and whose tokens a shop believes."""

from collections.abc import Mapping, MutableMapping

import boto3

from flashsale.auth.signing_keys import SigningKeys
from flashsale.config import TrustedIssuer
from flashsale.errors import ConfigError
from flashsale_local.problems import Problem


def region(variables: MutableMapping[str, str]) -> str:
    """The region that is meant; boto3 and SAM go there from now on.

    botocore reads AWS_DEFAULT_REGION; AWS_REGION, which the AWS CLI and Lambda go by, it does not.

    Args:
        variables: of this process.

    Raises:
        Problem: nothing says where to, or an emulator is where AWS should be.

    """
    if emulator := variables.get("AWS_ENDPOINT_URL"):
        raise Problem(
            f"AWS_ENDPOINT_URL is {emulator}: this would not go to AWS.",
            "Unset it. `flashsale deploy --env local` deploys to an emulator.",
        )
    if chosen := variables.get("AWS_REGION"):
        variables["AWS_DEFAULT_REGION"] = chosen
    found = boto3.Session().region_name
    if not found:
        raise Problem(
            "Nothing says which region of AWS is meant.",
            "Set AWS_REGION, or the region of the profile that AWS_PROFILE names.",
        )
    return found


def tokens(environment: str, given: Mapping[str, str]) -> None:
    """Whose tokens the shop would believe.

    Args:
        environment: its name in samconfig.toml.
        given: parameters of template.yaml.

    Raises:
        Problem: everybody's, those of a local stack, or nobody's.

    """
    where = f"parameter_overrides of samconfig.toml's section {environment}.deploy.parameters"
    if given.get("Auth", "jwt") != "jwt":
        raise Problem(
            f"Auth is {given['Auth']}: anybody could be anybody, and that is for local stacks.",
            f"Take Auth out of {where}.",
        )
    if given.get("JwtSecret"):
        raise Problem(
            "JwtSecret is for local stacks: whoever can check a token by it can make one.",
            f"Name JwtJwksUrl or JwtJwks instead in {where}.",
        )
    keys = [name for name in ("JwtJwksUrl", "JwtJwks") if given.get(name)]
    missing = [name for name in ("JwtIssuer", "JwtAudience") if not given.get(name)]
    if missing or len(keys) != 1:
        raise Problem(
            f"Tokens need JwtIssuer, JwtAudience and one of JwtJwksUrl and JwtJwks; given are: "
            f"{', '.join(n for n in given if n.startswith('Jwt')) or 'none'}.",
            f"Name them in {where}.",
        )
    _public_keys(given.get("JwtJwks", ""))


def _public_keys(jwks: str) -> None:
    if not jwks:
        return
    try:
        SigningKeys(TrustedIssuer("", "", jwks=jwks))
    except ConfigError as error:
        raise Problem(
            f"JwtJwks is no JSON Web Key Set: {jwks[:60]}",
            "Quote it, or its own quotes are lost: JwtJwks='{\"keys\": […]}'.",
        ) from error
