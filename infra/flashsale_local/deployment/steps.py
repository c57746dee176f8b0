"""The steps of a deployment to AWS: its stacks in order, their parameters, and a smoke test.

On an emulator there is one step, the application, because the stores are local servers.
"""

import hashlib
import json
import shlex
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.deployment import containers, deploy, preflight
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

AWS = ROOT / "infra" / "aws"
# Seconds. The first calls are cold starts, and a new API needs a moment.
SMOKE_DEADLINE = 90.0
# This product does not exist, so the smoke test changes no stock.
NO_PRODUCT = "smoke-test-no-such-product"


@dataclass(frozen=True, slots=True)
class Step:
    """One stack of a deployment.

    Attributes:
        template: returns the template. It is called when the step begins.
        parameters: returns the parameters, given the outputs of the earlier steps by stack name.

    """

    stack_name: str
    template: Callable[[], str]
    parameters: Callable[[Mapping[str, Mapping[str, str]]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of samconfig.toml. SAM reads the same file."""

    name: str
    settings: Mapping[str, Any]

    @classmethod
    def load(cls, name: str, path: Path = ROOT / "samconfig.toml") -> "Environment":
        """Read the section `name`."""
        sections = tomllib.loads(path.read_text())
        if name not in sections:
            raise Problem(
                f"samconfig.toml has no environment {name!r}.",
                f"It has {', '.join(sections)}; add a section {name}.deploy.parameters.",
            )
        return cls(name, sections[name])

    @property
    def stack_name(self) -> str:
        """The name of the application's stack."""
        return str(self.settings["global"]["parameters"]["stack_name"])

    @property
    def tags(self) -> dict[str, str]:
        """Tags for each resource of each stack."""
        return self._pairs("deploy", "tags")

    def parameters(self, part: str) -> dict[str, str]:
        """Return the template parameters of one part.

        Args:
            part: `deploy` (the application), `network`, `data`, `monitoring` or `container`.

        """
        return self._pairs(part, "parameter_overrides")

    def _pairs(self, part: str, key: str) -> dict[str, str]:
        text = self.settings.get(part, {}).get("parameters", {}).get(key, "")
        split = (pair.partition("=") for pair in shlex.split(text))
        return {name: value for name, _, value in split}


def steps(environment: Environment, package: Callable[[], str]) -> list[Step]:
    """Return the steps of a deployment to AWS, in order.

    An environment that sets RedisUrl has its own stores and network, which stay as they are. One
    that sets parameters of the part `container` also gets containers.

    Args:
        package: uploads the build, and returns the application's template.

    """
    name, given = environment.stack_name, environment.parameters("deploy")
    container = environment.parameters("container")
    preflight.tokens(environment.name, given)
    containers.check(environment.name, container, given)
    network, data = f"{name}-network", f"{name}-data"

    def for_network(_: Any) -> dict[str, str]:
        # Only functions that fetch the issuer's keys, or call the provider, need the internet.
        nat = "true" if given.get("JwtJwksUrl") or given.get("ProviderUrl") else "false"
        asked = {"Containers": "true"} if container else {}
        return {"Nat": nat} | asked | environment.parameters("network")

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

    def for_containers(made: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        of_application = for_application(made)
        mine = containers.parameters(of_application, made[network], made[data])
        return {"ApplicationStack": name} | mine | container

    stores = [
        Step(network, (AWS / "network.yaml").read_text, for_network),
        Step(data, (AWS / "data.yaml").read_text, for_data),
    ]
    return [
        *([] if "RedisUrl" in given else stores),
        Step(name, package, for_application),
        Step(f"{name}-monitoring", (AWS / "monitoring.yaml").read_text, for_monitoring),
        *(
            [Step(f"{name}-container", (AWS / "container.yaml").read_text, for_containers)]
            if container
            else []
        ),
    ]


def from_stores(network: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """Return parameters of template.yaml, from the outputs of network.yaml and data.yaml.

    The password of Redis is a dynamic reference. CloudFormation resolves it into the functions'
    environment, so it is in no parameter and no output.
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
    """Add a ReleaseId, which changes whenever the template or a parameter changes."""
    if "ReleaseId" not in template:
        return dict(parameters)
    content = json.dumps([template, dict(parameters)], sort_keys=True)
    return {**parameters, "ReleaseId": hashlib.sha256(content.encode()).hexdigest()[:16]}


def validate(log: Path) -> None:
    """Lint all templates. This needs neither AWS nor an emulator.

    Raises:
        Problem: a template has an error, or this is the environment of `make demo`.

    """
    if not (Path(sys.executable).parent / "cfn-lint").exists():
        raise Problem(
            "cfn-lint, which checks the templates, is not installed.",
            "Run `make setup`, which installs the tests and checks.",
        )
    deploy.run(["sam", "validate", "--lint", "--region", "us-east-1"], log)
    deploy.run(["cfn-lint", *map(str, sorted(AWS.glob("*.yaml")))], log)


def smoke_test(endpoint: Endpoint, deadline: float = SMOKE_DEADLINE) -> str:
    """Call /health, try to buy a product that does not exist, and return a summary.

    Raises:
        Problem: the functions cannot reach a store, or the purchase was not rejected.

    """
    end = time.monotonic() + deadline
    with httpx.Client(base_url=endpoint.url, headers=dict(endpoint.headers), timeout=30) as client:
        while (health := _get(client, "/health")).status_code != 200:
            if time.monotonic() > end:
                raise Problem(
                    f"GET /health says {health.status_code}: {health.text[:300]}",
                    "See `flashsale logs buy`. The deployment was not undone.",
                )
            time.sleep(1)
        body = {"productId": NO_PRODUCT, "userId": "smoke-test"}
        refused = client.post("/api/v5/buy", json=body)
    if refused.status_code not in (401, 404, 409):
        raise Problem(
            f"A purchase of an unknown product got {refused.status_code}: {refused.text[:300]}",
            "It should be rejected (401, 404 or 409). See `flashsale logs buy`.",
        )
    return f"/health 200, a purchase of nothing {refused.status_code}"


def _get(client: httpx.Client, path: str) -> httpx.Response:
    try:
        return client.get(path)
    except httpx.HTTPError as error:
        return httpx.Response(503, text=type(error).__name__)
