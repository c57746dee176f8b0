"""A server of the local stack, and how to run it."""

import random
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

HOST = "127.0.0.1"
# Below those from which the system takes a client's own port: a client that dials a server which
# is just restarting would otherwise, now and then, get the server's port and talk to itself.
PORTS = range(20_000, 32_000)
# Those that were named last. A caller may ask for several before it binds the first.
_NAMED: deque[int] = deque(maxlen=64)


@dataclass(frozen=True)
class Program:
    """A server of the stack.

    Attributes:
        name: the name in `flashsale status`.
        port: None if it listens on no port.
        port_variable: the environment variable that changes its port.
        prepare: creates its data folder and its user. It is called before every start.
        tidy: deletes files that are of no use after its stop. It is called when the stack stops.
        ready: returns True when the server answers; may raise before that.
        user: the system user that runs it; None for the caller.
        stop_signal: the signal for an orderly stop.

    """

    name: str
    command: list[str]
    ready: Callable[[], bool]
    url: str = ""
    port: int | None = None
    port_variable: str = ""
    prepare: Callable[[], None] = lambda: None
    tidy: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: str = "TERM"

    def log(self, directory: Path) -> Path:
        """Return the file that its output goes to."""
        return directory / "logs" / f"{self.name}.log"


def free_port() -> int:
    """Return a port that is free now, and not one of those that were returned last."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - no secret
        if port in _NAMED:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            _NAMED.append(port)
            return port


def answers(url: str) -> bool:
    """Return whether a server answers 200 there; raise OSError if none listens."""
    with urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
        return bool(answer.status == 200)
