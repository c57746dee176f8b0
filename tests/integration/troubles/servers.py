"""Stores that can be frozen, cut off, or made to reject calls. Each recovers after its block."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil

from tests.helpers.support import POLL

URN = "arn:aws:sqs:us-east-1:000000000000:orders"
COUNTS = {f"ApproximateNumberOfMessages{which}": "0" for which in ("", "NotVisible", "Delayed")}


def processes_at(port: int) -> list[psutil.Process]:
    """Return the processes of the server on this port, children first."""
    (parent,) = {
        connection.pid
        for connection in psutil.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    server = psutil.Process(parent)
    return [*server.children(recursive=True), server]


def well(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the regular answer of SQS to a call of the application."""
    taken = [{"Id": entry["Id"], "MessageId": "m"} for entry in asked.get("Entries", [])]
    attributes = {"QueueArn": URN, **COUNTS}
    return {"MessageId": "m", "Attributes": attributes, "Successful": taken, "Failed": []}


@contextmanager
def frozen(port: int) -> Iterator[None]:
    """Stop the server of this port with SIGSTOP until the block ends."""
    stopped = []
    try:
        # The parent first, so that it starts no more children.
        for process in reversed(processes_at(port)):
            with suppress(ProcessLookupError):  # a backend ends when its client is gone
                os.kill(process.pid, signal.SIGSTOP)
                stopped.append(process.pid)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Wire:
    """A TCP proxy whose open connections can drop all bytes in both directions."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._dead: set[socket.socket] = set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """Drop all bytes of open connections. New ones work."""
        for pair in self._pairs:
            self._dead.update(pair)

    def close(self) -> None:
        self._listener.close()
        for pair in self._pairs:
            for one in pair:
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if source not in self._dead:
                    sink.sendall(data)
            if source not in self._dead:
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


class Sqs:
    """Stands in for SQS, which neither AWS nor an emulator makes hang on demand.

    Attributes:
        silent: whether it accepts requests and never answers.
        refusing: a status and a body to answer instead.

    """

    def __init__(self) -> None:
        self.silent = False
        self.refusing: tuple[int, bytes] | None = None
        self.closing = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                while outer.silent and not outer.closing:
                    time.sleep(0.05)
                status, body = outer.refusing or (200, json.dumps(well(asked)).encode())
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.0")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that timed out

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def being_silent(self) -> Iterator[None]:
        self.silent = True
        try:
            yield
        finally:
            self.silent = False

    @contextmanager
    def refusing_with(self, status: int, body: bytes) -> Iterator[None]:
        self.refusing = status, body
        try:
            yield
        finally:
            self.refusing = None

    def close(self) -> None:
        self.closing = True
        self._server.shutdown()
        self._server.server_close()
