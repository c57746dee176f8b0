"""Commands that start and stop the local stack."""

import os
from typing import Annotated

import typer

from flashsale_local.console import console
from flashsale_local.deployment.target import Edge
from flashsale_local.paths import LOCAL
from flashsale_local.stack import compose
from flashsale_local.stack.access import access_settings_of, refuse_differences
from flashsale_local.stack.asgi import start_asgi_edge
from flashsale_local.stack.containers import has_volumes, in_containers, record_stop
from flashsale_local.stack.left_running import show_addresses
from flashsale_local.stack.lock import hold
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.start import start
from flashsale_local.stack.watchers import start_watchers


def up(
    edge: Annotated[Edge, typer.Option(help="asgi: also serve the API by granian.")] = Edge.LAMBDA,
) -> None:
    """Start the local stack and deploy the application to it.

    Servers that run already keep running. Every endpoint (Lambda and ASGI) gets AUTH, RATE_LIMIT_…
    and CORS_ORIGINS of this shell. Set REDIS_URL, DATABASE_URL or AWS_ENDPOINT_URL to use servers
    of your own.

    Example: [bold]flashsale up --edge asgi[/]
    """
    target = start(asgi=edge is Edge.ASGI)
    if edge is Edge.ASGI:
        target = start_asgi_edge(target)
    refuse_differences(access_settings_of(target))
    if not in_containers(LOCAL):
        start_watchers(target)
    console.print("The stack is up:")
    show_addresses(target)


def down(
    volumes: Annotated[  # noqa: FBT002
        bool, typer.Option("--volumes", help="Also delete the data of a stack in containers.")
    ] = False,
) -> None:
    """Stop the local stack. Its data stays until `make clean`.

    The data of a stack in containers is in volumes of Docker, and that of others in .local.

    Example: [bold]flashsale down[/]
    """
    hold(LOCAL)
    stack = Stack(LOCAL)
    running = stack.supervisor.running or in_containers(LOCAL)
    stack.down()
    if _containers_may_be_left(volumes=volumes, running=running):
        compose.down(volumes=volumes)
        record_stop(LOCAL, volumes=volumes)
        running = True
    console.print("The stack is down." if running else "No stack was running.")


def _containers_may_be_left(*, volumes: bool, running: bool) -> bool:
    """Return whether Docker must be asked. The record may be lost, and then DOCKER tells."""
    if in_containers(LOCAL) or (volumes and has_volumes(LOCAL)):
        return True
    return bool(os.environ.get("DOCKER")) and not running
