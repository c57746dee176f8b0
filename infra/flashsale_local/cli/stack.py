"""Commands that run and deploy the stack."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import httpx
import psycopg
import typer
from redis import Redis

from flashsale.redis_store.relay_inbox import ALIVE
from flashsale_local.cli.edges import (
    asgi_programs,
    bring_along,
    doors_of,
    refuse_differences,
    show_doors,
)
from flashsale_local.cli.watch import (
    exporter_version,
    prometheus_version,
    start_watching,
    tell_prometheus,
)
from flashsale_local.console import console, errors, queues_table, step, table
from flashsale_local.deployment import deploy as deployment
from flashsale_local.deployment.sign_in import refuse_other_issuers
from flashsale_local.deployment.target import Target, masked
from flashsale_local.paths import LOCAL
from flashsale_local.queues.depths import depths
from flashsale_local.stack import compose
from flashsale_local.stack.guards import refuse_to_open
from flashsale_local.stack.program import answers
from flashsale_local.stack.stack import Stack

# Programs that the stack may have beyond its servers, and the target's field for their address.
LATER = {"edge": "asgi_url", "exporter": "exporter_url", "prometheus": "prometheus_url"}


class Edge(StrEnum):
    """What terminates HTTP."""

    LAMBDA = "lambda"
    ASGI = "asgi"


def up(
    edge: Annotated[Edge, typer.Option(help="asgi: serve the API by granian, too.")] = Edge.LAMBDA,
) -> None:
    """Start the local stack and deploy the application to it.

    What runs already is left running, but each door (Lambda, ASGI) is brought to AUTH, RATE_LIMIT_…
    and CORS_ORIGINS of this shell. REDIS_URL, DATABASE_URL and AWS_ENDPOINT_URL point it at
    servers of your own instead.

    Example: [bold]flashsale up --edge asgi[/]
    """
    target = start()
    if edge is Edge.ASGI:
        target = start_asgi_edge(target)
    refuse_differences(doors_of(target))
    if not os.environ.get("DOCKER"):
        start_watching(target)
    console.print(
        "The stack is up. [bold]flashsale status[/] shows it, [bold]make down[/] stops it."
    )


def start() -> Target:
    """Start the stack and deploy to it; shared by `up` and `demo`."""
    refuse_other_issuers(os.environ)
    if os.environ.get("DOCKER"):
        return _start_in_docker()
    stack = Stack(LOCAL)
    fresh = not stack.supervisor.running
    try:
        stack.up(_tell)
        target = _with_what_runs(stack, stack.target())
        target.export()
        refuse_to_open(doors_of(target), os.environ)
        target.save(LOCAL)
        deploy_locally(target)
        bring_along(stack, target, _tell)
    except BaseException:
        if fresh:
            stack.down()
        raise
    return target


def _with_what_runs(stack: Stack, target: Target) -> Target:
    """The target with the addresses of what was started later and runs still."""
    path, programs = stack.directory / "target.json", stack.supervisor.info()
    saved = json.loads(path.read_text()) if path.exists() else {}
    return replace(
        target,
        **{
            field: saved[field]
            for program, field in LATER.items()
            if programs.get(program, {}).get("statename") == "RUNNING" and field in saved
        },
    )


def _tell(line: str) -> None:
    errors.print(f"[green]✓[/] {line}")


def _start_in_docker() -> Target:
    compose.up(*compose.STORES)
    target = compose.target()
    target.export()
    refuse_to_open(doors_of(target), os.environ)
    target.save(LOCAL)
    deploy_locally(target, compose.FUNCTION_PARAMETERS, flat=True)
    compose.up()
    return target


def start_asgi_edge(target: Target) -> Target:
    """Start, or start anew, the web workers and the relay process; returns the target with them."""
    if target.asgi_url and os.environ.get("DOCKER"):
        return target  # they are containers, and up
    stack = Stack(LOCAL)
    web, relay = asgi_programs(stack, target)
    for program in (web, relay):
        stack.add(program, _tell)
    target = replace(target, asgi_url=web.url)
    target.save(LOCAL)
    if target.prometheus_url:
        tell_prometheus(stack, target)
    return target


def deploy_locally(
    target: Target, parameters: Mapping[str, str] | None = None, *, flat: bool = False
) -> None:
    """Build, deploy to the emulator, migrate; `parameters` overrule those of the local stack."""
    parameters = {**deployment.local_parameters(target), **(parameters or {})}
    with step("sam build (the first time it downloads the functions' packages)") as done:
        started = time.monotonic()
        build_parameters = {name: parameters[name] for name in ("PythonRuntime", "Architecture")}
        deployment.build("local", build_parameters, LOCAL / "logs" / "sam-build.log", flat=flat)
        done(f"sam build ({time.monotonic() - started:.1f} s)")
    with step("sam deploy") as done:
        started = time.monotonic()
        log = LOCAL / "logs" / "sam-deploy.log"
        deployment.deploy("local", target.stack_name, parameters, log)
        target.cloud.finish_deploy(target.stack_name, parameters)
        done(f"sam deploy to {target.cloud.name} ({time.monotonic() - started:.1f} s)")
    with step("migrate") as done:
        applied = deployment.migrate(target)
        done(f"migrated the database ({', '.join(applied) or 'nothing to apply'})")


def down() -> None:
    """Stop the local stack. Its data stays in .local until `make clean`.

    Example: [bold]flashsale down[/]
    """
    if os.environ.get("DOCKER"):
        compose.down()
        return
    stack = Stack(LOCAL)
    running = stack.supervisor.running
    stack.down()
    console.print("The stack is down." if running else "No stack was running.")


def status() -> None:
    """Show what runs: servers with addresses, processes and versions, the API, the queues.

    The exit status is 1 where one door lets in others than the next one does.

    Example: [bold]flashsale status[/]
    """
    target = Target.load(LOCAL)
    info = Stack(LOCAL).supervisor.info()
    servers = table("Servers", "server", "address", "process", "state", "version", numbers_from=5)
    servers.columns[1].overflow = "fold"
    asked: list[tuple[str, str, Callable[[str], str]]] = [
        ("valkey", target.redis_url, _redis_version),
        ("postgres", target.database_url, _postgres_version),
        (target.emulator, target.endpoint_url, emulator_version),
    ]
    if target.asgi_url:
        asked += [
            ("edge", target.asgi_url, _edge_version),
            ("relay", target.redis_url, _relay_state),
        ]
    watchers = [
        ("exporter", target.exporter_url, exporter_version),
        ("prometheus", target.prometheus_url, prometheus_version),
    ]
    asked += [watcher for watcher in watchers if watcher[1]]
    for name, url, read_version in asked:
        row = info.get(name, {})
        pid = str(row.get("pid") or "–")
        try:
            found, state = read_version(url), "up"
        except Exception as error:  # noqa: BLE001 - whatever is wrong, the line shows it
            found, state = "–", f"[red]down[/] ({type(error).__name__})"
        servers.add_row(name, masked(url) or "AWS", pid, state, found)
    console.print(servers)
    console.print(
        f"Python {sys.version.split()[0]}, SAM CLI {version('aws-sam-cli')}, "
        f"logs in {LOCAL / 'logs'}"
    )
    for name, door in target.edges.items():
        console.print(f"API ({name}): [bold]{door.curl}[/]", soft_wrap=True)
    console.print(queues_table(depths(target.queues)))
    show_doors(doors_of(target))


def _redis_version(url: str) -> str:
    info = Redis.from_url(url, socket_timeout=2).info("server")
    return str(info.get("valkey_version") or info["redis_version"])


def _postgres_version(url: str) -> str:
    with psycopg.connect(url, connect_timeout=2) as connection:
        return str(connection.info.parameter_status("server_version"))


def emulator_version(url: str) -> str:
    """What the emulator there says of itself; a dash on AWS."""
    if not url:
        return "–"
    return str(httpx.get(f"{url}/_localstack/health").json()["version"])


def _edge_version(url: str) -> str:
    answers(f"{url}/openapi.json")
    return f"granian {version('granian')}"


def _relay_state(url: str) -> str:
    if not Redis.from_url(url, socket_timeout=2).exists(ALIVE):
        raise ConnectionError
    return "–"
