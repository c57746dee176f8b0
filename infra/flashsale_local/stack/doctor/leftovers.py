"""Checks of this checkout: its ports, what runs, and what earlier stacks have left behind."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil

from flashsale_local.paths import ROOT
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.doctor.finding import Finding, ok, problem, warning
from flashsale_local.stack.lock import holder
from flashsale_local.stack.port_holders import (
    SUPERVISOR_VARIABLE,
    Holder,
    Port,
    holders,
    is_free,
)
from flashsale_local.stack.stack import Stack

# What the build is made of.
SOURCES = ("functions", "layers", "lua", "template.yaml", "infra/migrations")


def check_ports(
    stack: Stack, monitor_port: int, containers: Mapping[int, str] = MappingProxyType({})
) -> Iterator[Finding]:
    """Check every port of the stack: free, in use by its own server, or taken.

    Args:
        containers: the ports of this stack's containers, each with the name of its container.

    """
    needed = [Port(p.name, p.port or 0, p.port_variable) for p in stack.programs]
    others = [
        Port(name, number, f"FLASHSALE_{name.upper().replace('-', '_')}_PORT")
        for name, number in (
            ("edge", stack.edge_port),
            ("provider", stack.provider_port),
            ("sign-in", stack.sign_in_port),
            ("relay", stack.relay_port),
            ("exporter", stack.exporter_port),
            ("prometheus", stack.prometheus_port),
            ("monitor", monitor_port),
        )
    ]
    busy = [port for port in [*needed, *others] if not is_free(port.number)]
    have = holders({port.number for port in busy})
    free = [f"{p.server} {p.number}" for p in [*needed, *others] if p not in busy]
    if free:
        yield ok("ports", f"free: {', '.join(free)}")
    for port in busy:
        by = have.get(port.number, Holder())
        what = f"{port.number} for {port.server}: {by}"
        if port.number in containers:
            yield ok("ports", f"{port.number}: container {containers[port.number]}")
        elif by.stack and by.stack.resolve() == stack.directory.resolve():
            yield ok("ports", f"{port.number}: {port.server} of this stack, process {by.pid}")
        elif port.server == "monitor" and by.pid and _runs_here(by.pid):
            yield ok("ports", f"{port.number}: the live page, process {by.pid}")
        else:
            stop = f"`make down` in {by.stack.parent}" if by.stack else "Stop it"
            make = problem if port in needed else warning
            yield make("ports", what, f"{stop}, or set {port.variable} to a free port.")


def _runs_here(pid: int) -> bool:
    try:
        return str(ROOT) in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def check_leftovers(stack: Stack) -> Iterator[Finding]:
    """Check what runs of this checkout's stack, and what an earlier one left."""
    if at_work := holder(stack.directory):
        yield warning("stack", f"changed now by {at_work}", "Wait until it has ended.")
    info = stack.supervisor.info()
    found = list(_without_supervisor(stack)) if not info else []
    found += _stale_pids(stack.directory, running=bool(info))
    down = [name for name, row in info.items() if row["statename"] != "RUNNING"]
    if down and not at_work:
        text = f"{', '.join(down)} of the running stack: stopped"
        found.append(warning("stack", text, "`flashsale up` starts the servers again."))
    elif info:
        found.append(ok("stack", f"runs: {', '.join(info)}"))
    state = "runs in containers" if in_containers(stack.directory) else "does not run"
    yield from found or [ok("stack", f"{state}, and no process of an earlier one is left")]
    yield _build(ROOT)


def _without_supervisor(stack: Stack) -> Iterator[Finding]:
    """Find processes of this stack whose supervisord has died."""
    left = []
    for process in psutil.process_iter():
        try:
            own = process.environ().get(SUPERVISOR_VARIABLE) == stack.supervisor.url
            if own and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process.pid)
        except psutil.Error:
            continue
    if left:
        pids = " ".join(map(str, sorted(left)))
        yield problem(
            "stack",
            f"{len(left)} processes of an earlier stack still run, and their supervisord has ended",
            f"`kill {pids}`",
        )


def _stale_pids(directory: Path, *, running: bool) -> Iterator[Finding]:
    for path in (directory / "supervisord.pid", directory / "postgres" / "postmaster.pid"):
        try:
            pid = int(path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            continue
        if not psutil.pid_exists(pid):
            text = f"{path} names process {pid}, which has ended"
            yield warning("stack", text, "Nothing to do: the next start replaces the file.")
        elif not running and path.name == "postmaster.pid" and not _is_postgres(pid):
            text = f"{path} names process {pid}, which is not PostgreSQL"
            yield problem("stack", text, f"`rm {path}`: PostgreSQL would not start.")


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in psutil.Process(pid).name()
    except psutil.Error:
        return False


def _build(root: Path) -> Finding:
    """Compare the build with its sources. Each `up` builds, so an old build is no problem."""
    built = root / ".aws-sam" / "build" / "template.yaml"
    if not built.exists():
        return ok("build", "there is none yet; `flashsale up` builds")
    when = built.stat().st_mtime
    newer = [path for path in _sources(root) if path.stat().st_mtime > when]
    if not newer:
        return ok("build", "is newer than its sources")
    names = ", ".join(str(path.relative_to(root)) for path in newer[:3])
    more = f" and {len(newer) - 3} more" if len(newer) > 3 else ""
    return warning("build", f"older than {names}{more}", "`flashsale up` builds and deploys again.")


def _sources(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        place = root / name
        files = [place] if place.is_file() else place.rglob("*")
        yield from (f for f in files if f.is_file() and "__pycache__" not in f.parts)
