"""Serve the ASGI edge by granian: `python -m flashsale_server.edge`, in the image and locally.

What stands here holds in both. GRANIAN_… variables overrule it: see `granian --help`. An argument
names another application; benchmarks have one.
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
    "GRANIAN_BACKLOG": "4096",
    # Connections of a worker, not requests: one that only dribbles counts as well, and whoever
    # comes when all are taken waits. Each is a file, of which granian takes all that it may have.
    "GRANIAN_BACKPRESSURE": "16384",
    # Milliseconds for all headers of a request, and for the pause before the next one.
    "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": "15000",
    # Bytes that a connection may make us keep: the headers of one request. API Gateway takes 10 KB.
    "GRANIAN_HTTP1_BUFFER_SIZE": str(32 * 1024),
}


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with which granian starts."""
    return {**SETTINGS, **environment}


if __name__ == "__main__":
    command = [sys.executable, "-m", "granian", *(sys.argv[1:] or [APP])]
    os.execve(sys.executable, command, settings(os.environ))  # noqa: S606 - no shell is wanted
