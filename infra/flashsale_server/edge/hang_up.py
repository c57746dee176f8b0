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
        with suppress(OSError):  # it is no socket, is not connected, or was closed meanwhile
            if file.is_socket():
                _hang_up_if_one_of(peers, int(file.name))


def _hang_up_if_one_of(peers: Collection[tuple[str, str]], file: int) -> None:
    # Another descriptor of the same socket, because the server closes its own.
    with socket.socket(fileno=os.dup(file)) as wire:
        peer = wire.getpeername()  # of a socket of this machine, a string
        if isinstance(peer, tuple) and (peer[0], str(peer[1])) in peers:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            wire.shutdown(socket.SHUT_RDWR)
