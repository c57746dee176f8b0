"""A TCP proxy that injects faults: it cuts connections and kills clients."""

import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import psutil

# A socket that is closed with this option sends a reset.
_RESET = struct.pack("ii", 1, 0)


class When(Enum):
    """The moment of a fault: before the server gets the request, or before the answer arrives."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Fault:
    """What happens to requests that contain `pattern`.

    Attributes:
        strike: called with the client's port, before the connection is cut.
        skip: number of matching requests that pass first.
        times: number of requests that are struck.

    """

    pattern: bytes
    when: When
    strike: Callable[[int], None] = lambda _: None
    skip: int = 0
    times: int = 1
    struck: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, request: bytes) -> bool:
        """Return whether the fault strikes this request, and count it."""
        if self.pattern not in request:
            return False
        with self._lock:
            if self.skip:
                self.skip -= 1
                return False
            if self.struck >= self.times:
                return False
            self.struck += 1
            return True


def kill_client(port: int) -> None:
    """Kill the process at the other end of a connection (SIGKILL)."""
    for connection in psutil.net_connections("tcp4"):
        found = connection.laddr and connection.laddr.port == port
        if found and connection.pid and connection.pid != os.getpid():
            os.kill(connection.pid, signal.SIGKILL)


class Proxy:
    """Forwards bytes to a port of this machine, until a fault strikes.

    Attributes:
        delay: seconds by which each chunk of bytes is delayed, in both directions.
        flows: while it is not set, no bytes are forwarded and no connection is closed.

    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.fault: Fault | None = None
        self.delay = 0.0
        self.flows = threading.Event()
        self.flows.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                client.close()  # the client sees what a stopped server would show
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(client, server, address[1], lambda: self.fault, self._hold)
            threading.Thread(target=pair.requests, daemon=True).start()
            threading.Thread(target=pair.answers, daemon=True).start()

    def _hold(self) -> None:
        self.flows.wait()
        time.sleep(self.delay)


class _Pair:
    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        port: int,
        fault: Callable[[], Fault | None],
        hold: Callable[[], None],
    ) -> None:
        self._hold = hold
        self._client, self._server, self._port, self._fault = client, server, port, fault
        self._doomed: Fault | None = None  # strikes when the answer arrives

    def requests(self) -> None:
        def before(data: bytes) -> bool:
            fault = self._fault()
            if fault is None or not fault.hits(data):
                return True
            if fault.when is When.AFTER:
                self._doomed = fault
                return True
            fault.strike(self._port)
            return False

        self._pass_on(self._client, self._server, before)

    def answers(self) -> None:
        def before(_: bytes) -> bool:
            if self._doomed is None:
                return True
            self._doomed.strike(self._port)
            return False

        self._pass_on(self._server, self._client, before)

    def _pass_on(
        self, source: socket.socket, sink: socket.socket, before: Callable[[bytes], bool]
    ) -> None:
        try:
            while (data := source.recv(65536)) and before(data):
                self._hold()
                sink.sendall(data)
        except OSError:
            pass
        for one in (self._client, self._server):
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
