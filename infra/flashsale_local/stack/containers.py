"""Whether the stack in a folder runs in containers. A file in the folder keeps the record."""

from pathlib import Path

from flashsale_local.problems import Problem
from flashsale_local.stack.supervisor import Supervisor

RECORD = "in-containers"
_UP, _DOWN = "up", "down"


def in_containers(directory: Path) -> bool:
    """Return whether the stack was started in containers, and not stopped since."""
    return _read(directory) == _UP


def has_volumes(directory: Path) -> bool:
    """Return whether the stack was started in containers, so that its volumes may be left."""
    return _read(directory) != ""


def record_start(directory: Path) -> None:
    """Record that containers start. Call it before the first one, because a start may fail."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / RECORD).write_text(_UP)


def record_stop(directory: Path, *, volumes: bool) -> None:
    """Record that no container is left, and that no volume is left if `volumes` were deleted."""
    if volumes:
        (directory / RECORD).unlink(missing_ok=True)
    elif has_volumes(directory):
        (directory / RECORD).write_text(_DOWN)


def refuse_the_other_way(directory: Path, *, docker: bool) -> None:
    """Refuse to start a stack in containers beside one without, and the other way round.

    Args:
        docker: whether the stack is to start in containers.

    Raises:
        Problem: the stack in this folder runs the other way.

    """
    if docker and Supervisor(directory).running:
        raise Problem(
            "The stack of this checkout runs without Docker, and DOCKER is set. "
            "Nothing was changed.",
            "Stop it first by `make down`, or unset DOCKER to keep it.",
        )
    if not docker and in_containers(directory):
        raise Problem(
            "The stack of this checkout runs in containers, and DOCKER is not set. "
            "Nothing was changed.",
            "Set DOCKER=1 to keep it, or stop it first by `make down`.",
        )


def _read(directory: Path) -> str:
    path = directory / RECORD
    return path.read_text() if path.exists() else ""
