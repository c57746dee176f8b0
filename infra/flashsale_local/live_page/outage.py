"""Stopping and starting PostgreSQL, where it is the local stack's own."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from flashsale_local.deployment.target import Target
from flashsale_local.problems import Problem
from flashsale_local.stack.postgres import postgres
from flashsale_local.stack.stack import Stack


class Outage:
    """The local stack's PostgreSQL, for a visitor to switch off and on. Its methods block."""

    def __init__(self, directory: Path, target: Target) -> None:
        self._stack = Stack(directory)
        self._postgres = postgres(directory, urlsplit(target.database_url).port or 0)
        self._stopped_here = False

    @property
    def postgres_up(self) -> bool:
        """Whether it runs."""
        return self._state == "RUNNING"

    @property
    def _state(self) -> str:
        state = self._stack.supervisor.info().get(self._postgres.name, {})
        return str(state.get("statename", ""))

    def stop(self) -> None:
        """Stop it in good order; connections are cut."""
        self._stopped_here = True
        self._stack.supervisor.stop_program(self._postgres.name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._stack.start(self._postgres)
        self._stopped_here = False

    def end(self) -> bool:
        """Start what was stopped here, unless the stack is down; returns whether it had to."""
        left_stopped = self._stopped_here and self._state not in ("", "RUNNING")
        if left_stopped:
            self.start()
        return left_stopped


def why_only_watching(directory: Path, target: Target) -> str:
    """Why a visitor of this target's page may change nothing; "" where he may.

    Raises:
        Problem: it is the stack in this folder, and that is down.

    """
    programs = Stack(directory).supervisor.info()
    saved = _is_saved(directory, target)
    # In containers it runs without supervisord.
    if saved and not programs and not _listens(target.endpoint_url):
        raise Problem("The local stack is down.", "make up")
    # Servers that were given by their URL when the stack came up are somebody else's.
    if not saved or not {"valkey", "postgres", target.emulator} <= programs.keys():
        return "its servers are not the local stack's own"
    if target.auth != "none":
        return f"buyers need a token here (AUTH={target.auth}), and it has none"
    return ""


def _is_saved(directory: Path, target: Target) -> bool:
    """Whether these are the addresses of the stack in this folder."""
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
