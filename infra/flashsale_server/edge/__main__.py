"""Serve the ASGI edge by granian: `python -m flashsale_server.edge`, in the image and locally.

GRANIAN_… variables override the settings of this module: see `granian --help`. An argument names
another application, as benchmarks do.

All settings are checked here, once, and by what the web workers call. A worker that fails is
started again, and writes its traceback each time.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from flashsale.auth.tokens import Tokens
from flashsale.config import origins
from flashsale.errors import ConfigError
from flashsale_server.edge.proxies import trusted_proxies
from flashsale_server.edge.shop_addresses import shop_addresses
from flashsale_server.start import or_say_why, settings_that_send

APP = "flashsale_server.edge.app:app"
SETTINGS = {
    "GRANIAN_INTERFACE": "asgi",
    "GRANIAN_LOOP": "uvloop",
    "GRANIAN_WEBSOCKETS": "false",
    "GRANIAN_HTTP": "1",
    "GRANIAN_RESPAWN_FAILED_WORKERS": "true",
    # Seconds. A worker that starts while granian stops can miss the signal, and granian would wait
    # for it without end. A request takes less (`BODY_TIME` and `ANSWER_TIME`), and so does a leader
    # that relays (`ASGI_PACE`). The local stack and docker-compose.yml allow more for a stop.
    "GRANIAN_WORKERS_KILL_TIMEOUT": "18",
    "GRANIAN_BACKLOG": "4096",
    # Connections of a worker, also slow ones. When all are taken, a new client waits. Each
    # connection is a file, and granian raises its limit of files as far as it may.
    "GRANIAN_BACKPRESSURE": "16384",
    # Milliseconds for all headers of a request, and for the pause between two requests.
    "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": "15000",
    # Bytes of the headers of one request, the most that a connection can make a worker keep. API
    # Gateway takes 10 KB.
    "GRANIAN_HTTP1_BUFFER_SIZE": str(32 * 1024),
}


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with which granian starts, with an empty folder for metrics."""
    return {**SETTINGS, **environment, "PROMETHEUS_MULTIPROC_DIR": _empty_folder(environment)}


def _empty_folder(environment: Mapping[str, str]) -> str:
    """Return the folder without the files of earlier workers, whose counts would be added.

    Other files stay, because the folder may be /tmp itself. Where there can be no such folder, the
    edge sells all the same, and its workers say what is wrong.
    """
    folder = environment.get("PROMETHEUS_MULTIPROC_DIR", "")
    with suppress(OSError):
        folder = folder or tempfile.mkdtemp(prefix="flashsale-metrics-")
        for file in Path(folder).glob("worker-*.db"):
            file.unlink()
    return folder


def check(environment: Mapping[str, str]) -> None:
    """Check what the web workers read from the environment, and that the address is free.

    Raises:
        ConfigError: names the variable and what it should look like.

    """
    Tokens(settings_that_send(environment).trusted_issuer)
    origins(environment)
    trusted_proxies(environment)
    shop_addresses(environment)
    _check_address(environment.get("GRANIAN_HOST", ""), environment.get("GRANIAN_PORT", ""))


def _check_address(host: str, port: str) -> None:
    """Try the address, for granian shows a traceback if it cannot have it.

    granian itself checks the form of its other variables, and names the one that is wrong.
    """
    try:
        family = socket.AF_INET6 if ip_address(host or "127.0.0.1").version == 6 else socket.AF_INET
    except ValueError as error:
        raise ConfigError(
            f"GRANIAN_HOST is {host!r}; it should be an IP address, such as 0.0.0.0"
        ) from error
    if not port.isdecimal():  # without it, granian chooses one or rejects it in one line
        return
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host or "127.0.0.1", int(port)))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise ConfigError(
                f"GRANIAN_PORT {port} of {host or '127.0.0.1'} cannot be used: {reason}; "
                "it should be a free port, such as 8000"
            ) from error


if __name__ == "__main__":
    with or_say_why("edge"):
        check(os.environ)
    command = [sys.executable, "-m", "granian", *(sys.argv[1:] or [APP])]
    os.execve(sys.executable, command, settings(os.environ))  # noqa: S606 - no shell is needed
