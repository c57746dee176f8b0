"""Which process has a port, and which stack it belongs to."""

import socket
import textwrap
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

from flashsale_local.problems import Problem
from flashsale_local.stack.program import HOST, free_port

# supervisord sets it for each of its programs, to the address of its own socket.
SUPERVISOR_VARIABLE = "SUPERVISOR_SERVER_URL"
LONGEST_COMMAND = 60


class Port(NamedTuple):
    """A port that a server needs, and the environment variable that moves it."""

    server: str
    number: int
    variable: str


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port.

    Attributes:
        pid: None if the system does not tell this user.
        stack: the folder of the local stack that started it; None for other processes.

    """

    pid: int | None = None
    command: str = ""
    stack: Path | None = None

    def __str__(self) -> str:
        """Describe the process for people."""
        if self.pid is None:
            return "a process that this user may not see"
        of = f", of the stack in {self.stack}" if self.stack else ""
        return f"process {self.pid} ({self.command}){of}"


def is_free(port: int) -> bool:
    """Return whether a server can listen on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def holders(ports: Collection[int]) -> dict[int, Holder]:
    """Return the process that has each of these ports, as far as the system tells."""
    found: dict[int, Holder] = {}
    with suppress(psutil.AccessDenied):  # macOS tells root only
        for one in psutil.net_connections("tcp"):
            if one.laddr and one.laddr.port in ports and one.status == psutil.CONN_LISTEN:
                found[one.laddr.port] = _describe(one.pid)
    return found


def _describe(pid: int | None) -> Holder:
    try:
        process = psutil.Process(pid) if pid else None
        words = process.cmdline() or [process.name()] if process else []
    except psutil.Error:
        return Holder(pid, "unknown")
    if process is None:
        return Holder()
    command = " ".join([Path(words[0]).name, *words[1:]])
    shown = textwrap.shorten(command, LONGEST_COMMAND, placeholder=" …")
    return Holder(pid, shown, stack_of(process))


def stack_of(process: psutil.Process) -> Path | None:
    """Return the folder of the stack whose supervisord started this process; None for others."""
    with suppress(psutil.Error, ValueError, IndexError):
        for one in (process, *process.parents()):
            command = one.cmdline()
            if "supervisor.supervisord" in command:
                return Path(command[command.index("-c") + 1]).parent
    return None


def refuse_taken(wanted: Iterable[Port]) -> None:
    """Require that all these ports are free, before anything is built or started.

    Raises:
        Problem: it names every port that is taken, its process, and variables that move them.

    """
    ports = list(wanted)
    twice = {p.number: p for p in ports}
    for port in ports:
        if (other := twice[port.number]) is not port:
            raise Problem(
                f"{port.variable} and {other.variable} are both {port.number}.",
                "Set one of them to another port.",
            )
    taken = [port for port in ports if not is_free(port.number)]
    if not taken:
        return
    have = holders({port.number for port in taken})
    lines = [
        f"port {port.number} for {port.server}: {have.get(port.number, Holder())}" for port in taken
    ]
    stacks = sorted({str(h.stack.parent) for h in have.values() if h.stack})
    stop = f"Run `make down` in {' and in '.join(stacks)}" if stacks else "Stop what uses them"
    moved = " ".join(f"{port.variable}={free_port()}" for port in taken)
    raise Problem(
        "\n".join([f"Ports of {HOST} are taken. Nothing was started.", *lines]),
        f"{stop}. Or move them, and try again:\nexport {moved}",
    )
