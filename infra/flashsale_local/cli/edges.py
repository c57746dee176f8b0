"""The doors of the running stack: shown, kept alike, and never opened by a word left out."""

import os
from dataclasses import replace

import typer
from rich.markup import escape
from rich.table import Table

from flashsale_local.console import console, errors, table
from flashsale_local.deployment.sign_in import auth_of, refuse_other_issuers
from flashsale_local.deployment.target import Target
from flashsale_local.paths import LOCAL
from flashsale_local.problems import Problem
from flashsale_local.stack import edge
from flashsale_local.stack.guards import SHOWN, Doors, differences, guards_of_function, read_doors
from flashsale_local.stack.program import Program
from flashsale_local.stack.stack import Report, Stack

WAY_OUT = (
    "`flashsale up` brings all doors to AUTH, RATE_LIMIT_USER, RATE_LIMIT_ADDRESS and CORS_ORIGINS "
    "of its environment."
)
COLUMNS = ("AUTH", "limit by user", "limit by address", "CORS origins")


def doors_of(target: Target) -> Doors:
    """What guards each door of this stack, as the door itself has it."""
    return read_doors(target, Stack(LOCAL), docker=bool(os.environ.get("DOCKER")))


def show_doors(doors: Doors) -> None:
    """Print who is let in at each door; the exit status is 1 where they differ."""
    console.print(_table(doors))
    if found := differences(doors):
        for difference in found:
            errors.print(f"[bold red]✗ {escape(difference)}[/]")
        errors.print(WAY_OUT)
        raise typer.Exit(1)


def _table(doors: Doors) -> Table:
    rows = table("Doors", "door", *COLUMNS, numbers_from=9)
    for door, guards in doors.items():
        if guards is None:
            rows.add_row(door, "[yellow]unknown: it does not tell[/]")
        else:
            rows.add_row(door, *(escape(guards[name] or "none") for name in SHOWN))
    return rows


def refuse_differences(doors: Doors) -> None:
    """Say it where a door lets in others than the next one does.

    Raises:
        Problem: they differ, or one of them does not tell.

    """
    found = differences(doors)
    found += [f"Nobody can say who is let in at {door}." for door, g in doors.items() if g is None]
    if found:
        raise Problem(" ".join(found), WAY_OUT)


def as_asked(target: Target) -> Target:
    """The running stack with the AUTH of this shell, if it names one, for a new deployment."""
    refuse_other_issuers(os.environ)
    if os.environ.get("AUTH"):
        target = replace(target, auth=auth_of(os.environ))
        target.save(LOCAL)
    return target


def asgi_programs(stack: Stack, target: Target) -> tuple[Program, Program]:
    """The web workers and the relay process, guarded as the deployed buy function is."""
    guards = guards_of_function(target, "buy")
    web = edge.web(stack.directory, stack.edge_port, target, None, **guards)
    return web, edge.relay(target, stack.relay_port, **guards)


def bring_along(stack: Stack, target: Target, report: Report) -> None:
    """Start anew what runs of the ASGI edge with other settings than these.

    Raises:
        Problem: one of them did not start again: it is stopped, and its door closed.

    """
    for program in asgi_programs(stack, target):
        has = stack.supervisor.environment_of(program.name)
        if has is not None and not program.environment.items() <= has.items():
            stack.add(program, lambda line: report(f"{line}: had other settings"))
