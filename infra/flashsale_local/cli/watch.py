"""What watches a sale: the command `flashsale exporter`, and Prometheus where it is installed."""

import asyncio
import os
from dataclasses import replace
from importlib.metadata import version

import httpx

from flashsale.errors import ConfigError
from flashsale_local.console import console, errors
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.exporter import ALIVE, variables
from flashsale_local.stack.exporter import exporter as exporter_program
from flashsale_local.stack.program import HOST, Program, answers
from flashsale_local.stack.prometheus import find_prometheus, prometheus, write_targets
from flashsale_local.stack.stack import Stack
from flashsale_server.exporter.__main__ import serve
from flashsale_server.exporter.settings import ExporterSettings


def exporter() -> None:
    """Serve the sale's figures to Prometheus, on FLASHSALE_EXPORTER_PORT (9464), until Ctrl+C.

    `flashsale up` starts one in the background.

    Example: [bold]flashsale exporter[/]
    """
    target = Target.load(LOCAL)
    try:
        settings = ExporterSettings.from_mapping({**os.environ, **variables(target)})
        console.print("Serving /metrics; Ctrl+C ends it.")
        asyncio.run(serve(settings))
    except ConfigError as error:
        raise Problem(f"The exporter does not start: {error}", "Set the variable.") from error


def start_watching(target: Target) -> Target:
    """Start, or start anew, the exporter, and Prometheus where it is installed.

    What cannot start is told and left out: a sale can do without being watched.
    """
    stack = Stack(LOCAL)
    watching = replace(
        target,
        exporter_url=start_or_leave_out(stack, exporter_program(stack.exporter_port, target)),
        prometheus_url=_start_prometheus(stack, target),
    )
    watching.save(LOCAL)
    return watching


def _start_prometheus(stack: Stack, target: Target) -> str:
    if (binary := find_prometheus()) is None:
        return ""
    tell_prometheus(stack, target)
    return start_or_leave_out(stack, prometheus(binary, LOCAL, stack.prometheus_port))


def tell_prometheus(stack: Stack, target: Target) -> None:
    """Say what there is to scrape; one that runs already hears of it within seconds."""
    urls = {"exporter": f"http://{HOST}:{stack.exporter_port}"}
    if target.asgi_url:
        urls |= {"edge": target.asgi_url, **_relay_figures(f"http://{HOST}:{stack.relay_port}")}
    write_targets(stack.directory, urls)


def _relay_figures(url: str) -> dict[str, str]:
    """Where the relay process shows its figures; nowhere, and no alarm, if its port was taken."""
    try:
        shown = answers(f"{url}/metrics")
    except OSError:
        shown = False
    if not shown:
        errors.print(f"[yellow]![/] without the relay's figures: {url} is not its; see its log")
    return {"relay": url} if shown else {}


def start_or_leave_out(stack: Stack, program: Program) -> str:
    """Start one of them; returns its address, "" where it could not start, and says why."""
    try:
        stack.add(program, lambda line: errors.print(f"[green]✓[/] {line}"))
    except Problem as problem:
        errors.print(f"[yellow]![/] without {program.name}: {problem.cause} {problem.way_out}")
        return ""
    return program.url


def exporter_version(url: str) -> str:
    """What serves the exporter's figures; raises where nothing does."""
    answers(f"{url}{ALIVE}")
    return f"client {version('prometheus-client')}"


def prometheus_version(url: str) -> str:
    """Its version; raises where nothing answers."""
    return str(httpx.get(f"{url}/api/v1/status/buildinfo", timeout=2).json()["data"]["version"])
