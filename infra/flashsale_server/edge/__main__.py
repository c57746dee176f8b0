"""Serve the ASGI edge by granian: `python -m flashsale_server.edge`, in the image and locally.

GRANIAN_… variables override the settings of this module: see `granian --help`. An argument names
another application, as benchmarks do.
"""

import os
import sys
from collections.abc import Mapping

APP = "flashsale_server.edge.app:app"
SETTINGS = {
    "GRANIAN_INTERFACE": "asgi",
    "GRANIAN_LOOP": "uvloop",
    "GRANIAN_WEBSOCKETS": "false",
    "GRANIAN_HTTP": "1",
    "GRANIAN_RESPAWN_FAILED_WORKERS": "true",
    # Seconds. A worker that starts while granian stops can miss the signal, and granian would wait
    # for it without end. A leader relays for a shorter time (`ASGI_PACE`), and the local stack and
    # docker-compose.yml allow more for a stop.
    "GRANIAN_WORKERS_KILL_TIMEOUT": "15",
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
    """Return the environment with which granian starts."""
    return {**SETTINGS, **environment}


if __name__ == "__main__":
    command = [sys.executable, "-m", "granian", *(sys.argv[1:] or [APP])]
    os.execve(sys.executable, command, settings(os.environ))  # noqa: S606 - no shell is needed
