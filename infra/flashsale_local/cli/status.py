"""The command `flashsale status`."""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

import typer

from flashsale.errors import FlashsaleError
from flashsale_local.cli.access import show_access
from flashsale_local.cli.options import AsJson
from flashsale_local.console import console, print_json, show_table, table
from flashsale_local.deployment.target import Target, masked, with_services
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.queues.table import queues_table
from flashsale_local.sale.undecided import Undecided, undecided
from flashsale_local.stack import compose
from flashsale_local.stack.access import PUBLIC, access_settings_of, differences
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.stack import Stack
from flashsale_local.stack.versions import (
    edge_version,
    emulator_version,
    exporter_version,
    grafana_version,
    postgres_version,
    prometheus_version,
    provider_version,
    redis_version,
    relay_version,
)
from flashsale_server.queues.depths import depths


@dataclass(frozen=True)
class Server:
    """A server of the stack as it answers now.

    Attributes:
        process: its number; None if it does not run, or not as a process of this stack.
        container: its name; "" if it runs in none.
        error: why it is down.

    """

    name: str
    address: str
    process: int | None
    container: str
    up: bool
    version: str
    error: str


def status(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what runs: servers with addresses, processes and versions, the API, the queues.

    The exit status is 1 if the endpoints differ in who may buy (AUTH, limits, CORS origins).

    Example: [bold]flashsale status[/]
    """
    target = Target.load(LOCAL)
    servers = _servers(target)
    if as_json:
        _print_json(target, servers)
        return
    _show(servers)
    logs = "logs by `flashsale logs`" if in_containers(LOCAL) else f"logs in {LOCAL / 'logs'}"
    console.print(
        f"Python {sys.version.split()[0]}, SAM CLI {version('aws-sam-cli')}, {logs}",
        soft_wrap=True,
    )
    for name, endpoint in target.edges.items():
        console.print(f"API ({name}): [bold]{endpoint.curl}[/]", soft_wrap=True)
    console.print(queues_table(depths(target.queues)))
    if (payments := _undecided(target)) and payments.line:
        console.print(payments.line, soft_wrap=True)
    show_access(access_settings_of(target))


def _undecided(target: Target) -> Undecided | None:
    """Return the payments that need something; None while PostgreSQL does not tell."""
    try:
        return with_services(target, undecided)
    except FlashsaleError:
        return None


def _servers(target: Target) -> list[Server]:
    containers = compose.containers() if in_containers(LOCAL) else {}
    info = {} if containers else Stack(LOCAL).supervisor.info()
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
        ("provider", target.provider_url, provider_version),
        ("sign-in", target.sign_in_url, provider_version),
        ("exporter", target.exporter_url, exporter_version),
        ("prometheus", target.prometheus_url, prometheus_version),
        ("grafana", target.grafana_url, grafana_version),
    ]
    asked += [watcher for watcher in watchers if watcher[1]]
    found = []
    for name, url, read_version in asked:
        pid = info.get(name, {}).get("pid") or None
        container = containers[name].name if name in containers else ""
        what = Server(name, masked(url), pid, container, up=True, version="", error="")
        try:
            found.append(replace(what, version=read_version(url)))
        except Exception as error:  # noqa: BLE001 - the line shows what is wrong
            found.append(replace(what, up=False, error=type(error).__name__))
    return found


def _show(servers: list[Server]) -> None:
    where = "container" if any(one.container for one in servers) else "process"
    made = table("Servers", "server", "address", where, "state", "version", numbers_from=5)
    for one in servers:
        state = "up" if one.up else f"[red]down[/] ({one.error})"
        place = str(one.process or one.container or "–")
        made.add_row(one.name, one.address or "AWS", place, state, one.version or "–")
    show_table(made)


def _print_json(target: Target, servers: list[Server]) -> None:
    """Print what could be read, and the first problem if the rest could not."""
    document: dict[str, Any] = {"servers": [asdict(one) for one in servers]}
    try:
        document["apis"] = {
            name: {"url": endpoint.url, "headers": dict(endpoint.headers)}
            for name, endpoint in target.edges.items()
        }
        document["queues"] = {name: asdict(d) for name, d in depths(target.queues).items()}
        payments = _undecided(target)
        document["payments"] = asdict(payments) if payments else None
        access = access_settings_of(target)
        document["access"] = {
            endpoint: {name.lower(): settings[name] for name in PUBLIC} if settings else None
            for endpoint, settings in access.items()
        }
        document["differences"] = differences(access)
    except Problem as problem:
        document["problem"] = problem.cause
    print_json(document)
    if document.get("differences", True):
        raise typer.Exit(1)
