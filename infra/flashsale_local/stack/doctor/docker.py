"""Checks of Docker and of the stack's containers, where the stack runs in some or is to."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flashsale_local.problems import Problem
from flashsale_local.stack import compose
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.doctor.finding import Finding, ok, problem, warning
from flashsale_local.stack.supervisor import Supervisor

# What each question to Docker needs, if the one before it was answered.
NEEDS = {
    ("docker", "version"): "a Docker engine that answers; see DOCKER_HOST and `docker context ls`",
    ("docker", "compose", "version"): "Compose v2 as a plugin of docker",
}


@dataclass(frozen=True)
class Containers:
    """What is known of the stack's containers.

    Attributes:
        ports: the ports of this machine that lead to containers, each with the container's name.

    """

    findings: list[Finding] = field(default_factory=list)
    ports: Mapping[int, str] = field(default_factory=dict)


def find_containers(directory: Path, *, docker: bool) -> Containers:
    """Check Docker, and what runs in it of the stack in this folder.

    Args:
        docker: whether DOCKER is set, so that `up` starts containers.

    """
    runs = in_containers(directory)
    if not docker and not runs:
        return Containers()
    findings = [*_docker(), *_mixed(directory, docker=docker, runs=runs)]
    if not runs or any(finding.check == "Docker" and finding.way_out for finding in findings):
        return Containers(findings)
    try:
        found = compose.containers()
    except Problem as refused:
        return Containers([*findings, problem("Docker", refused.cause, refused.way_out)])
    for name, one in found.items():
        if one.state != "running":
            text = f"{name} is {one.state}; `flashsale logs {name}` may tell why"
            findings.append(warning("containers", text, "`flashsale up` starts it again."))
    running = [name for name, one in found.items() if one.state == "running"]
    findings.append(ok("containers", f"run: {', '.join(running) or 'none'}"))
    return Containers(findings, {port: one.name for one in found.values() for port in one.ports})


def _docker() -> Iterator[Finding]:
    for command, need in NEEDS.items():
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            text = f"`{' '.join(command)}` fails"
            yield problem("Docker", text, f"Install or start what it needs: {need}.")
            return
    yield ok("Docker", "the engine answers, and docker has compose")


def _mixed(directory: Path, *, docker: bool, runs: bool) -> Iterator[Finding]:
    if runs and not docker:
        text = "the stack runs in containers, and DOCKER is not set"
        yield problem("variables", text, "`export DOCKER=1` to keep it, or `make down` first.")
    if docker and Supervisor(directory).running:
        text = "the stack runs without Docker, and DOCKER is set"
        yield problem("variables", text, "`unset DOCKER` to keep it, or `make down` first.")
