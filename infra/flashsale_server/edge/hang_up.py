"""Ends connections of this process whose clients do not read.

The server waits for such a client until the client goes, and keeps what it could not send. ASGI has
no message that ends a connection, so this looks for its socket.
"""

import os
import socket
import struct
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

# A socket that is closed with this option drops what it could not send.
_RESET = struct.pack("ii", 1, 0)
# The open files of this process, by number; on macOS, too.
_FILES = Path("/dev/fd")


def hang_up(peers: Collection[tuple[str, str]]) -> None:
    """Shut down the connections with these hosts and ports."""
    for file in _FILES.iterdir() if peers else ():
        with suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as wire:
            host, port, *_ = wire.getpeername()
            if (host, str(port)) in peers:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                wire.shutdown(socket.SHUT_RDWR)
