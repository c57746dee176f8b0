"""Who is let in at each door of a deployment: what the door itself has, not what was asked for."""

from collections.abc import Mapping

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack import compose
from flashsale_local.stack.stack import Stack

# The application's variables that say who is let in, and those of them that may be shown.
SHOWN = ("AUTH", "RATE_LIMIT_USER", "RATE_LIMIT_ADDRESS", "CORS_ORIGINS")
GUARDS = (*SHOWN, "JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_JWKS", "JWT_SECRET")
# The functions behind the HTTP API; the ASGI edge serves buyers and admins by one program.
FUNCTIONS = {"lambda": "buy", "lambda admin": "admin"}
ASGI = "asgi"
# Seconds. Nobody waits for minutes to hear that an emulator is down.
PATIENT = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2})

Guards = dict[str, str]
# By the name of the door; None where it does not tell.
Doors = Mapping[str, Guards | None]


def guards_in(environment: Mapping[str, str]) -> Guards:
    """The guards that a door with this environment has; "" for none."""
    found = {name: environment.get(name, "") for name in GUARDS}
    return {**found, "AUTH": found["AUTH"] or "none"}


def read_doors(target: Target, stack: Stack, *, docker: bool) -> Doors:
    """The guards of every door that there is."""
    doors: dict[str, Guards | None] = {}
    for door, function in FUNCTIONS.items():
        try:
            doors[door] = guards_of_function(target, function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                doors[door] = None
        except BotoCoreError:
            doors[door] = None
    if not target.endpoint_url:  # AWS: the edge on this machine, if any, is another deployment's
        return doors
    source = compose if docker else stack.supervisor
    environment = source.environment_of("edge")
    if environment is not None:
        doors[ASGI] = guards_in(environment) if environment else None
    return doors


def guards_of_function(target: Target, function: str) -> Guards:
    """The guards in the configuration of a deployed function, `buy` for example."""
    found = boto3.client("lambda", config=PATIENT).get_function_configuration(
        FunctionName=f"{target.stack_name}-{function}"
    )
    return guards_in(found.get("Environment", {}).get("Variables", {}))


def differences(doors: Doors) -> list[str]:
    """One sentence for each guard that is not the same at all doors; secrets are never shown."""
    told = {door: guards for door, guards in doors.items() if guards is not None}
    found = []
    for name in GUARDS:
        values = {door: guards[name] for door, guards in told.items()}
        if len(set(values.values())) < 2:
            continue
        each = ", ".join(f"{value or 'none'} at {door}" for door, value in values.items())
        found.append(
            f"The doors differ in {name}: {each if name in SHOWN else 'the values are not shown'}."
        )
    return found


def refuse_to_open(doors: Doors, environment: Mapping[str, str]) -> None:
    """Let nobody open a closed door by leaving out a word.

    Raises:
        Problem: buyers need a token at a door, and AUTH is not in `environment`.

    """
    closed = [door for door, guards in doors.items() if guards and guards["AUTH"] == "jwt"]
    if closed and not environment.get("AUTH"):
        raise Problem(
            f"Buyers need a token here (AUTH=jwt at {', '.join(closed)}), and AUTH is not set now. "
            "No door was changed.",
            "Set AUTH=jwt to keep it so, or AUTH=none to let buyers in without a token.",
        )
