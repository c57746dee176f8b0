"""The stack in containers: what `docker compose` starts, and the addresses of the containers."""

import json
import os
import subprocess

from flashsale_local.deployment.sign_in import auth_of, own_secret, settings
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL, ROOT
from flashsale_local.problems import Problem
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.program import HOST

# Started before the deployment, which makes the queue that the edge needs.
STORES = ("valkey", "postgres", "localstack")
# Function containers find the stores by their names in docker-compose.yml.
FUNCTION_PARAMETERS = {
    "RedisUrl": "redis://valkey:6379/0",
    "DatabaseUrl": "postgresql://postgres@postgres:5432/postgres",
}


def up(*services: str) -> None:
    """Start these services, or all, and wait until they are healthy."""
    _compose("up", "--detach", "--wait", *services)


def down() -> None:
    """Stop all containers; their volumes stay."""
    _compose("down")


def target() -> Target:
    """Return the addresses of the containers on this machine."""
    valkey, postgres, emulator, edge = (
        port_of(os.environ, f"FLASHSALE_{name}_PORT")
        for name in ("VALKEY", "POSTGRES", "EMULATOR", "EDGE")
    )
    return Target(
        f"redis://{HOST}:{valkey}/0",
        f"postgresql://postgres@{HOST}:{postgres}/postgres",
        f"http://{HOST}:{emulator}",
        asgi_url=f"http://{HOST}:{edge}",
        emulator="localstack",
        auth=auth_of(os.environ),
        token_secret=own_secret(LOCAL),
    )


def environment_of(service: str) -> dict[str, str] | None:
    """Return the environment variables of a container; None if it does not run."""
    found = _docker("compose", "ps", "--quiet", service).split()
    if not found:
        return None
    listed = json.loads(_docker("inspect", "--format", "{{json .Config.Env}}", found[0]))
    return dict(pair.split("=", 1) for pair in listed)


def _docker(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["docker", *arguments],
            cwd=ROOT, env={**os.environ, **_settings()}, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(
            f"Docker does not report what runs: {getattr(error, 'stderr', None) or error}",
            "Start Docker, or leave out DOCKER=1.",
        ) from error


def _settings() -> dict[str, str]:
    return settings(auth_of(os.environ), own_secret(LOCAL))


def _compose(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            env={**os.environ, **_settings()},
            check=False,
        )
    except FileNotFoundError as error:
        raise Problem(
            "There is no docker on PATH.", "Install Docker, or leave out DOCKER=1."
        ) from error
    if done.returncode:
        raise Problem(
            f"`docker compose {' '.join(arguments)}` failed with status {done.returncode}.",
            "Fix what it says above, or leave out DOCKER=1.",
        )
