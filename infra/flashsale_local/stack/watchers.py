"""The programs that watch a sale: the exporter, and Prometheus where it is installed."""

from dataclasses import replace

from flashsale_local.console import errors, report_done
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.exporter import exporter
from flashsale_local.stack.program import HOST, Program, answers
from flashsale_local.stack.prometheus import find_prometheus, prometheus, write_targets
from flashsale_local.stack.stack import Stack


def start_watchers(target: Target) -> Target:
    """Start or restart the exporter, and Prometheus where it is installed.

    A program that cannot start is reported and left out, because a sale does not need it.
    """
    stack = Stack(LOCAL)
    watched = replace(
        target,
        exporter_url=start_or_leave_out(stack, exporter(stack.exporter_port, target)),
        prometheus_url=_start_prometheus(stack, target),
    )
    watched.save(LOCAL)
    return watched


def _start_prometheus(stack: Stack, target: Target) -> str:
    if (binary := find_prometheus()) is None:
        return ""
    write_scrape_targets(stack, target)
    return start_or_leave_out(stack, prometheus(binary, LOCAL, stack.prometheus_port))


def write_scrape_targets(stack: Stack, target: Target) -> None:
    """Write what Prometheus scrapes. A running Prometheus reads it again within seconds."""
    urls = {"exporter": f"http://{HOST}:{stack.exporter_port}"}
    if target.asgi_url:
        urls |= {"edge": target.asgi_url, **_relay_target(f"http://{HOST}:{stack.relay_port}")}
    write_targets(stack.directory, urls)


def _relay_target(url: str) -> dict[str, str]:
    """Return where the relay process serves its metrics; nothing if its port was taken.

    A target that never answers would raise an alarm.
    """
    try:
        shown = answers(f"{url}/metrics")
    except OSError:
        shown = False
    if not shown:
        errors.print(
            f"[yellow]![/] without the relay's figures: {url} is not the relay's; see its log"
        )
    return {"relay": url} if shown else {}


def start_or_leave_out(stack: Stack, program: Program) -> str:
    """Start a program and return its address; if it cannot start, say why and return ""."""
    try:
        stack.add(program, report_done)
    except Problem as problem:
        errors.print(f"[yellow]![/] without {program.name}: {problem.cause} {problem.way_out}")
        return ""
    return program.url
