"""Locks that processes take on files."""

import fcntl
from pathlib import Path


def is_locked(path: Path) -> bool:
    """Return whether somebody has a file open with an exclusive lock."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
