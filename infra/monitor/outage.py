"""Stopping and starting PostgreSQL, where it is the local stack's own."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from infra.stack.postgres import postgres
from infra.stack.stack import Stack
from infra.target import Target


class Outage:
    """The local stack's PostgreSQL, for a visitor to switch off and on. Its methods block."""

    def __init__(self, directory: Path, target: Target) -> None:
        self._stack = Stack(directory)
        self._postgres = postgres(directory, urlsplit(target.database_url).port or 0)

    @property
    def postgres_up(self) -> bool:
        """Whether it runs."""
        state = self._stack.supervisor.info().get(self._postgres.name, {})
        return bool(state.get("statename") == "RUNNING")

    def stop(self) -> None:
        """Stop it in good order; connections are cut."""
        self._stack.supervisor.stop_program(self._postgres.name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._stack.start(self._postgres)


def why_only_watching(directory: Path, target: Target) -> str:
    """Why a visitor of this target's page may change nothing; "" where he may."""
    if not _is_local(directory, target):
        return "its servers are not the local stack's own"
    if target.auth != "none":
        return f"buyers need a token here (AUTH={target.auth}), and it has none"
    return ""


def _is_local(directory: Path, target: Target) -> bool:
    """Whether every server of this target is one that the stack in this folder runs itself."""
    path = directory / "target.json"
    if not path.exists():
        return False
    saved = json.loads(path.read_text())
    names = ("redis_url", "database_url", "endpoint_url")
    if any(saved.get(name) != getattr(target, name) for name in names):
        return False
    # Servers that were given by their URL when the stack came up are somebody else's.
    return {"valkey", "postgres", target.emulator} <= set(Stack(directory).supervisor.info())
