"""What the stack must know of a server to run it."""

import random
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

HOST = "127.0.0.1"
# Below those from which the system takes a client's own port: a client that dials a server which
# is just restarting would otherwise, now and then, get the server's port and talk to itself.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True)
class Program:
    """A server of the stack.

    Attributes:
        name: as `flashsale status` shows it.
        port: None where it listens on none.
        port_variable: the environment variable that moves its port.
        prepare: makes its data folder and its user; called before every start.
        ready: True once it answers; may raise while it does not.
        user: system user that runs it, where that is not the caller.
        stop_signal: asks it to stop in good order.

    """

    name: str
    command: list[str]
    ready: Callable[[], bool]
    url: str = ""
    port: int | None = None
    port_variable: str = ""
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: str = "TERM"

    def log(self, directory: Path) -> Path:
        """Where its output goes."""
        return directory / "logs" / f"{self.name}.log"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - no secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def answers(url: str) -> bool:
    """Whether a server answers 200 there; raises while it does not listen."""
    with urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback
        return bool(answer.status == 200)
