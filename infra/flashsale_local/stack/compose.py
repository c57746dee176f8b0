"""The stack in containers: what `docker compose` starts, and the addresses of the containers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from flashsale_local.deployment.sign_in import auth_of, own_secret, settings
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL, ROOT
from flashsale_local.problems import Problem
from flashsale_local.stack.containers import RECORD
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.program import HOST

# Started before the deployment, which makes the queue that the edge needs.
STORES = ("valkey", "postgres", "localstack")
# Function containers find the stores by their names in docker-compose.yml.
FUNCTION_PARAMETERS = {
    "RedisUrl": "redis://valkey:6379/0",
    "DatabaseUrl": "postgresql://postgres@postgres:5432/postgres",
}


@dataclass(frozen=True)
class Container:
    """A container of the stack.

    Attributes:
        state: running, exited, …
        ports: those of this machine that lead to it.

    """

    name: str
    state: str
    ports: frozenset[int]


def up(*services: str) -> None:
    """Start these services, or all, and wait until they are healthy. Build the image of our own."""
    _run(
        "compose", "up", "--detach", "--wait", *services,
        way_out="Fix what it says above. `make down` removes what has started.",
    )  # fmt: skip


def down(*, volumes: bool) -> None:
    """Remove all containers and their network; the data stays unless `volumes` are to go, too."""
    _run(
        "compose", "down", "--remove-orphans", *(["--volumes"] if volumes else []),
        way_out=f"Start Docker, and try again. `rm {LOCAL / RECORD}` forgets the containers.",
    )  # fmt: skip


def logs(container: Container, since: str, limit: int, *, follow: bool) -> None:
    """Print what a container has written, with its times.

    Args:
        since: a time span such as 10m.

    """
    _run(
        "logs", "--timestamps", "--since", since, "--tail", str(limit),
        *(["--follow"] if follow else []), container.name,
        way_out="Fix what it says above.",
    )  # fmt: skip


def target() -> Target:
    """Return the addresses of the containers on this machine."""
    url = {
        name: f"{HOST}:{port_of(os.environ, f'FLASHSALE_{name}_PORT')}"
        for name in (
            *("VALKEY", "POSTGRES", "EMULATOR", "EDGE"),
            *("EXPORTER", "PROMETHEUS", "GRAFANA"),
        )
    }
    return Target(
        f"redis://{url['VALKEY']}/0",
        f"postgresql://postgres@{url['POSTGRES']}/postgres",
        f"http://{url['EMULATOR']}",
        asgi_url=f"http://{url['EDGE']}",
        emulator="localstack",
        exporter_url=f"http://{url['EXPORTER']}",
        prometheus_url=f"http://{url['PROMETHEUS']}",
        grafana_url=f"http://{url['GRAFANA']}",
        auth=auth_of(os.environ),
        token_secret=own_secret(LOCAL),
        webhook_secret=own_secret(LOCAL, "webhook-secret"),
        room_secret=own_secret(LOCAL, "room-secret"),
    )


def containers() -> dict[str, Container]:
    """Return the containers that exist, by service."""
    found = {}
    for line in _docker("compose", "ps", "--all", "--format", "json").splitlines():
        read = json.loads(line)
        for row in read if isinstance(read, list) else [read]:  # before Compose 2.21: one list
            ports = {one["PublishedPort"] for one in row.get("Publishers") or []} - {0}
            found[row["Service"]] = Container(row["Name"], row["State"], frozenset(ports))
    return found


def environment_of(service: str) -> dict[str, str] | None:
    """Return the environment variables of a container; None if it does not run."""
    found = _docker("compose", "ps", "--quiet", service).split()
    if not found:
        return None
    listed = json.loads(_docker("inspect", "--format", "{{json .Config.Env}}", found[0]))
    # A name alone is a variable that the container does not have.
    return dict(pair.split("=", 1) for pair in listed if "=" in pair)


def _docker(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["docker", *arguments],
            cwd=ROOT, env=_environment(), check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().rstrip(".")
        raise Problem(
            f"The stack runs in containers, and Docker does not report them: {said}.",
            "Start Docker.",
        ) from error


def _run(*arguments: str, way_out: str) -> None:
    """Run docker, whose output the user sees."""
    try:
        done = subprocess.run(["docker", *arguments], cwd=ROOT, env=_environment(), check=False)
    except FileNotFoundError as error:
        raise Problem(
            "There is no docker on PATH.", "Install Docker, or leave out DOCKER=1."
        ) from error
    if done.returncode:
        raise Problem(
            f"`docker {' '.join(arguments)}` failed with status {done.returncode}.", way_out
        )


def _environment() -> dict[str, str]:
    return {
        **_socket(os.environ),
        **os.environ,
        **settings(auth_of(os.environ), own_secret(LOCAL)),
        "ROOM_SECRET": own_secret(LOCAL, "room-secret"),
    }


def _socket(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where LocalStack finds the engine: rootless Docker has its socket elsewhere.

    On macOS the engine runs in a virtual machine, where the socket of DOCKER_HOST does not exist.
    """
    host = environment.get("DOCKER_HOST", "")
    if sys.platform != "linux" or not host.startswith("unix://"):
        return {}
    return {"DOCKER_SOCK": host.removeprefix("unix://")}
