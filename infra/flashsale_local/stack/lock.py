"""One command at a time changes the stack of a checkout."""

import fcntl
import json
import os
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from flashsale_local.problems import Problem

NAME = "command.lock"
# Open files keep their lock. The system releases it when the process ends, however it ends.
_held: dict[Path, IO[str]] = {}


def hold(directory: Path) -> None:
    """Keep other commands from starting or stopping this stack until this process ends.

    Raises:
        Problem: another command does so now. The message names it.

    """
    path = (directory / NAME).resolve()
    if path in _held:
        return
    directory.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Problem(
            f"Another command works on the stack of this checkout: {holder(directory)}.",
            "Wait until it has ended, or end it: by Ctrl+C there, or by `kill` and its number.",
        ) from None
    _held[path] = file
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    since = f"{datetime.now().astimezone():%H:%M:%S}"
    about = {"pid": os.getpid(), "command": command, "since": since}
    file.truncate(0)
    file.write(json.dumps(about))
    file.flush()


def release(directory: Path) -> None:
    """Let other commands change the stack again."""
    if file := _held.pop((directory / NAME).resolve(), None):
        file.close()


def holder(directory: Path) -> str:
    """Return which command changes this stack now; "" if none does."""
    path = (directory / NAME).resolve()
    with suppress(FileNotFoundError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with suppress(ValueError):
                about = json.loads(file.read())
                return f"`{about['command']}` (process {about['pid']}) since {about['since']}"
            return "a command that has just begun"
    return ""
