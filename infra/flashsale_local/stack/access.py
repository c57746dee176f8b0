"""Who may buy at each endpoint of a deployment, as read from the endpoint itself.

Every deployment has two functions behind HTTP APIs, `buy` and `admin`. A local stack may have the
ASGI edge, too. All of them must have the same access settings.
"""

import os
from collections.abc import Mapping
from dataclasses import replace

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flashsale_local.deployment.sign_in import auth_of, refuse_other_issuers
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack import compose
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.stack import Stack

# The application's variables that decide who may buy, and how often. Values of the others are
# never shown.
PUBLIC = ("AUTH", "RATE_LIMIT_USER", "RATE_LIMIT_ADDRESS", "CORS_ORIGINS")
VARIABLES = (
    *PUBLIC,
    *("JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET", "ROOM_SECRET"),
)
# Endpoints that a function serves. The ASGI edge serves buyers and admins by one program.
FUNCTIONS = {"lambda": "buy", "lambda admin": "admin"}
ASGI = "asgi"
# Seconds. An emulator that is down should be reported soon.
PATIENT = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2})

WAY_OUT = (
    "Run `flashsale up`: it gives all endpoints the AUTH, RATE_LIMIT_USER, RATE_LIMIT_ADDRESS and "
    "CORS_ORIGINS of its environment."
)

AccessSettings = dict[str, str]
# By the name of the endpoint; None where the settings cannot be read.
SettingsByEndpoint = Mapping[str, AccessSettings | None]


def settings_in(environment: Mapping[str, str]) -> AccessSettings:
    """Return the access settings that this environment gives; "" for each that it leaves out."""
    found = {name: environment.get(name, "") for name in VARIABLES}
    return {**found, "AUTH": found["AUTH"] or "none"}


def access_settings_of(target: Target) -> SettingsByEndpoint:
    """Return the access settings of each endpoint of the stack in .local."""
    return read_access_settings(target, Stack(LOCAL), docker=in_containers(LOCAL))


def read_access_settings(target: Target, stack: Stack, *, docker: bool) -> SettingsByEndpoint:
    """Return the access settings of each endpoint that exists."""
    settings: dict[str, AccessSettings | None] = {}
    for endpoint, function in FUNCTIONS.items():
        try:
            settings[endpoint] = settings_of_function(target, function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                settings[endpoint] = None
        except BotoCoreError:
            settings[endpoint] = None
    if not target.endpoint_url:  # AWS: an edge on this machine belongs to another deployment
        return settings
    source = compose if docker else stack.supervisor
    environment = source.environment_of("edge")
    if environment is not None:
        settings[ASGI] = settings_in(environment) if environment else None
    return settings


def settings_of_function(target: Target, function: str) -> AccessSettings:
    """Return the access settings of a deployed function, for example `buy`."""
    found = boto3.client("lambda", config=PATIENT).get_function_configuration(
        FunctionName=f"{target.stack_name}-{function}"
    )
    return settings_in(found.get("Environment", {}).get("Variables", {}))


def differences(by_endpoint: SettingsByEndpoint) -> list[str]:
    """Return one sentence for each setting that differs. It never shows a secret."""
    known = {name: settings for name, settings in by_endpoint.items() if settings is not None}
    found = []
    for variable in VARIABLES:
        values = {endpoint: settings[variable] for endpoint, settings in known.items()}
        if len(set(values.values())) < 2:
            continue
        each = ", ".join(f"{value or 'none'} at {endpoint}" for endpoint, value in values.items())
        shown = each if variable in PUBLIC else "the values are not shown"
        found.append(f"The endpoints differ in {variable}: {shown}.")
    return found


def refuse_differences(by_endpoint: SettingsByEndpoint) -> None:
    """Require that all endpoints have the same access settings.

    Raises:
        Problem: they differ, or cannot be read at one of the endpoints.

    """
    found = differences(by_endpoint)
    found += [
        f"The access settings of {endpoint} cannot be read."
        for endpoint, settings in by_endpoint.items()
        if settings is None
    ]
    if found:
        raise Problem(" ".join(found), WAY_OUT)


def require_explicit_auth(by_endpoint: SettingsByEndpoint, environment: Mapping[str, str]) -> None:
    """Refuse to open a closed endpoint only because AUTH is missing from the environment.

    Raises:
        Problem: buyers need a token at an endpoint, and `environment` has no AUTH.

    """
    closed = [name for name, found in by_endpoint.items() if found and found["AUTH"] == "jwt"]
    if closed and not environment.get("AUTH"):
        raise Problem(
            f"Buyers need a token here (AUTH=jwt at {', '.join(closed)}), but this shell does not "
            "set AUTH. Nothing was changed.",
            "Set AUTH=jwt to keep it so, or AUTH=none to let buyers in without a token.",
        )


def with_auth_of_shell(target: Target) -> Target:
    """Return the running stack with the AUTH of this shell, if it sets one; save it, too."""
    refuse_other_issuers(os.environ)
    if os.environ.get("AUTH"):
        target = replace(target, auth=auth_of(os.environ))
        target.save(LOCAL)
    return target
