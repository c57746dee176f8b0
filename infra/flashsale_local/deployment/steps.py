"""A release to AWS: which stacks in which order, with which parameters, and whether it works then.

On an emulator it is the application's stack alone: the stores there are local servers.
"""

import hashlib
import json
import shlex
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import deploy, preflight
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

AWS = ROOT / "infra" / "aws"
# Seconds; the first calls start cold, and a new API needs a moment.
SMOKE_DEADLINE = 90.0
# No sale has this product, and no check asks for it: nobody's stock is touched.
NO_PRODUCT = "smoke-test-no-such-product"


@dataclass(frozen=True, slots=True)
class Step:
    """One stack of a release.

    Attributes:
        template: reads the template; called when the step's turn comes.
        parameters: made of the outputs of the steps before (stack name -> outputs).

    """

    stack_name: str
    template: Callable[[], str]
    parameters: Callable[[Mapping[str, Mapping[str, str]]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Environment:
    """What samconfig.toml says of an environment. SAM reads the same file."""

    name: str
    settings: Mapping[str, Any]

    @classmethod
    def load(cls, name: str, path: Path = ROOT / "samconfig.toml") -> "Environment":
        """The section `name`."""
        sections = tomllib.loads(path.read_text())
        if name not in sections:
            raise Problem(
                f"samconfig.toml has no environment {name!r}.",
                f"It has {', '.join(sections)}; add a section {name}.deploy.parameters.",
            )
        return cls(name, sections[name])

    @property
    def stack_name(self) -> str:
        """Of the application."""
        return str(self.settings["global"]["parameters"]["stack_name"])

    @property
    def tags(self) -> dict[str, str]:
        """On each resource of each stack."""
        return self._pairs("deploy", "tags")

    def parameters(self, part: str) -> dict[str, str]:
        """Template parameters of `deploy` (the application), network, data or monitoring."""
        return self._pairs(part, "parameter_overrides")

    def _pairs(self, part: str, key: str) -> dict[str, str]:
        text = self.settings.get(part, {}).get("parameters", {}).get(key, "")
        split = (pair.partition("=") for pair in shlex.split(text))
        return {name: value for name, _, value in split}


def steps(environment: Environment, package: Callable[[], str]) -> list[Step]:
    """The stacks of a release to AWS, in order.

    Who gives RedisUrl has stores (and a network) already; they are left alone.

    Args:
        package: uploads what was built; returns the application's template.

    """
    name, given = environment.stack_name, environment.parameters("deploy")
    preflight.tokens(environment.name, given)
    network, data = f"{name}-network", f"{name}-data"

    def for_network(_: Any) -> dict[str, str]:
        # A way to the internet only where the functions fetch the issuer's keys there.
        nat = "true" if given.get("JwtJwksUrl") else "false"
        return {"Nat": nat} | environment.parameters("network")

    def for_data(made: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        return {
            "VpcId": made[network]["VpcId"],
            "SubnetIds": made[network]["SubnetIds"],
            "FunctionsSecurityGroup": made[network]["SecurityGroupIds"],
            "ApplicationStack": name,
        } | environment.parameters("data")

    def for_application(made: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        if network not in made:
            return given
        return from_stores(made[network], made[data]) | given

    def for_monitoring(_: Any) -> dict[str, str]:
        return {"ApplicationStack": name} | environment.parameters("monitoring")

    stores = [
        Step(network, (AWS / "network.yaml").read_text, for_network),
        Step(data, (AWS / "data.yaml").read_text, for_data),
    ]
    return [
        *([] if "RedisUrl" in given else stores),
        Step(name, package, for_application),
        Step(f"{name}-monitoring", (AWS / "monitoring.yaml").read_text, for_monitoring),
    ]


def from_stores(network: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """Parameters of template.yaml, from the outputs of network.yaml and data.yaml.

    Redis' password is a dynamic reference: CloudFormation puts it into the functions' environment,
    and nobody reads it on the way.
    """
    password = f"{{{{resolve:secretsmanager:{data['RedisSecretArn']}:SecretString:password}}}}"
    return {
        "RedisUrl": f"rediss+cluster://flashsale:{password}@{data['RedisAddress']}",
        "DatabaseUrl": data["DatabaseUrl"],
        "DatabaseUserArn": data["DatabaseUserArn"],
        "KeyArn": data["KeyArn"],
        "SubnetIds": network["SubnetIds"],
        "SecurityGroupIds": network["SecurityGroupIds"],
    }


def identified(template: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """These parameters, and a ReleaseId that is another one when anything of the release is."""
    if "ReleaseId" not in template:
        return dict(parameters)
    release = json.dumps([template, dict(parameters)], sort_keys=True)
    return {**parameters, "ReleaseId": hashlib.sha256(release.encode()).hexdigest()[:16]}


def validate(log: Path) -> None:
    """Lint all templates; needs neither AWS nor an emulator."""
    deploy.run(["sam", "validate", "--lint", "--region", "us-east-1"], log)
    deploy.run(["cfn-lint", *map(str, sorted(AWS.glob("*.yaml")))], log)


def smoke_test(door: Endpoint, deadline: float = SMOKE_DEADLINE) -> str:
    """Ask the application how it is, and try to buy what nobody sells; returns what it said.

    Raises:
        Problem: a store is down from the functions' point of view, or the purchase was not refused.

    """
    end = time.monotonic() + deadline
    with httpx.Client(base_url=door.url, headers=dict(door.headers), timeout=30) as client:
        while (health := _get(client, "/health")).status_code != 200:
            if time.monotonic() > end:
                raise Problem(
                    f"GET /health says {health.status_code}: {health.text[:300]}",
                    "See `flashsale logs buy`; what was deployed stays deployed.",
                )
            time.sleep(1)
        body = {"productId": NO_PRODUCT, "userId": "smoke-test"}
        refused = client.post("/api/v5/buy", json=body)
    if refused.status_code not in (401, 404, 409):
        raise Problem(
            f"A purchase of what nobody sells got {refused.status_code}: {refused.text[:300]}",
            "It should be refused (401, 404 or 409). See `flashsale logs buy`.",
        )
    return f"/health 200, a purchase of nothing {refused.status_code}"


def _get(client: httpx.Client, path: str) -> httpx.Response:
    try:
        return client.get(path)
    except httpx.HTTPError as error:
        return httpx.Response(503, text=type(error).__name__)
