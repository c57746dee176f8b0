"""Commands that start, stop and show the local stack."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from flashsale_local.cli.access import show_access
from flashsale_local.console import console, show_table, table
from flashsale_local.deployment.target import Edge, Target, masked
from flashsale_local.paths import LOCAL
from flashsale_local.queues.table import queues_table
from flashsale_local.stack import compose
from flashsale_local.stack.access import access_settings_of, refuse_differences
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from flashsale_local.stack.versions import (
    edge_version,
    emulator_version,
    exporter_version,
    postgres_version,
    prometheus_version,
    redis_version,
    relay_version,
)
from flashsale_local.stack.watchers import start_watchers
from flashsale_server.queues.depths import depths


def up(
    edge: Annotated[Edge, typer.Option(help="asgi: also serve the API by granian.")] = Edge.LAMBDA,
) -> None:
    """Start the local stack and deploy the application to it.

    Servers that run already keep running. Every endpoint (Lambda and ASGI) gets AUTH, RATE_LIMIT_…
    and CORS_ORIGINS of this shell. Set REDIS_URL, DATABASE_URL or AWS_ENDPOINT_URL to use servers
    of your own.

    Example: [bold]flashsale up --edge asgi[/]
    """
    target = start()
    if edge is Edge.ASGI:
        target = start_asgi_edge(target)
    refuse_differences(access_settings_of(target))
    if not os.environ.get("DOCKER"):
        start_watchers(target)
    console.print(
        "The stack is up. [bold]flashsale status[/] shows it, [bold]make down[/] stops it."
    )


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

    The exit status is 1 if the endpoints differ in who may buy (AUTH, limits, CORS origins).

    Example: [bold]flashsale status[/]
    """
    target = Target.load(LOCAL)
    info = Stack(LOCAL).supervisor.info()
    servers = table("Servers", "server", "address", "process", "state", "version", numbers_from=5)
    asked: list[tuple[str, str, Callable[[str], str]]] = [
        ("valkey", target.redis_url, redis_version),
        ("postgres", target.database_url, postgres_version),
        (target.emulator, target.endpoint_url, emulator_version),
    ]
    if target.asgi_url:
        asked += [
            ("edge", target.asgi_url, edge_version),
            ("relay", target.redis_url, relay_version),
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
        except Exception as error:  # noqa: BLE001 - the line shows what is wrong
            found, state = "–", f"[red]down[/] ({type(error).__name__})"
        servers.add_row(name, masked(url) or "AWS", pid, state, found)
    show_table(servers)
    console.print(
        f"Python {sys.version.split()[0]}, SAM CLI {version('aws-sam-cli')}, "
        f"logs in {LOCAL / 'logs'}",
        soft_wrap=True,
    )
    for name, endpoint in target.edges.items():
        console.print(f"API ({name}): [bold]{endpoint.curl}[/]", soft_wrap=True)
    console.print(queues_table(depths(target.queues)))
    show_access(access_settings_of(target))
