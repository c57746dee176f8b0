"""The command `flashsale doctor`."""

import os
from collections.abc import Iterator
from dataclasses import asdict

import typer

from flashsale_local.cli.options import AsJson
from flashsale_local.console import errors, print_json, show_beside
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack.doctor.docker import find_containers
from flashsale_local.stack.doctor.finding import Finding, Level
from flashsale_local.stack.doctor.leftovers import check_leftovers, check_ports
from flashsale_local.stack.doctor.machine import check_machine
from flashsale_local.stack.doctor.variables import check_variables
from flashsale_local.stack.ports import port_of
from flashsale_local.stack.stack import Stack

SIGNS = {Level.OK: "[green]✓[/]", Level.WARNING: "[yellow]![/]", Level.PROBLEM: "[red]✗[/]"}


def doctor(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Check this machine and this checkout: what prevents or disturbs a local stack.

    It checks Python, the virtual environments, disk, memory, network, ports and who has them,
    variables of the shell, and what earlier stacks left behind. It changes nothing. The exit status
    is 1 if something prevents `flashsale up`.

    Example: [bold]flashsale doctor[/]
    """
    found = []
    for finding in _check():
        found.append(finding)
        if not as_json:
            _show(finding)
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in found], "problems": problems})
    elif problems:
        errors.print(f"[red]✗[/] {problems} of these prevent `flashsale up`.")
    else:
        errors.print("[green]✓[/] Nothing prevents `flashsale up`.")
    if problems:
        raise typer.Exit(1)


def _check() -> Iterator[Finding]:
    yield from check_machine(os.environ)
    try:
        stack, page = Stack(LOCAL), port_of(os.environ, "FLASHSALE_MONITOR_PORT")
    except Problem:  # a variable is wrong, and its check says so
        yield from check_variables(os.environ, None)
        return
    yield from check_variables(os.environ, stack)
    found = find_containers(stack.directory, docker=bool(os.environ.get("DOCKER")))
    yield from found.findings
    yield from check_ports(stack, page, found.ports)
    yield from check_leftovers(stack)


def _show(finding: Finding) -> None:
    show_beside(f"{SIGNS[finding.level]} {finding.check:12}", finding.text)
    if finding.way_out:
        show_beside(f"  {'':12}", f"→ {finding.way_out}")
