"""Stop and start PostgreSQL from the page, where it belongs to the local stack."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack.containers import in_containers
from flashsale_local.stack.postgres import postgres
from flashsale_local.stack.stack import Stack


class PostgresSwitch:
    """Switches the local stack's PostgreSQL off and on. All methods block."""

    def __init__(self, directory: Path, target: Target) -> None:
        self._stack = Stack(directory)
        self._postgres = postgres(directory, urlsplit(target.database_url).port or 0)
        self._stopped_here = False

    @property
    def is_on(self) -> bool:
        """Whether PostgreSQL runs."""
        return self._state == "RUNNING"

    @property
    def _state(self) -> str:
        state = self._stack.supervisor.info().get(self._postgres.name, {})
        return str(state.get("statename", ""))

    def stop(self) -> None:
        """Shut PostgreSQL down cleanly. Open connections are closed."""
        self._stopped_here = True
        self._stack.supervisor.stop_program(self._postgres.name)

    def start(self) -> None:
        """Start PostgreSQL and wait until it answers."""
        self._stack.start(self._postgres)
        self._stopped_here = False

    def restore(self) -> bool:
        """Start PostgreSQL if it was stopped here and the stack is up. Return whether it was."""
        left_stopped = self._stopped_here and self._state not in ("", "RUNNING")
        if left_stopped:
            self.start()
        return left_stopped


def read_only_reason(directory: Path, target: Target) -> str:
    """Return why a visitor of this target's page may change nothing, or "" if they may.

    Raises:
        Problem: the target is the stack in this folder, and that stack is down.

    """
    programs = Stack(directory).supervisor.info()
    saved = _is_saved(directory, target)
    if saved and not programs and not _listens(target.endpoint_url):
        raise Problem("The local stack is down.", "make up")
    if saved and in_containers(directory):
        return "the stack runs in containers, and its buttons work without Docker only"
    # The stack starts no server of its own where it was given the URL of an existing one.
    if not saved or not {"valkey", "postgres", target.emulator} <= programs.keys():
        return "its servers do not belong to the local stack"
    if target.auth != "none":
        return f"buyers need a token here (AUTH={target.auth}), and the page has none"
    return ""


def _is_saved(directory: Path, target: Target) -> bool:
    """Return whether these are the addresses of the stack in this folder."""
    path = directory / "target.json"
    if not path.exists():
        return False
    saved = json.loads(path.read_text())
    names = ("redis_url", "database_url", "endpoint_url")
    return all(saved.get(name) == getattr(target, name) for name in names)


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        socket.create_connection((address.hostname or "", address.port or 80), timeout=2).close()
    except OSError:
        return False
    return True
