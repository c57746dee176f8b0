"""An execution environment: a process that runs `awslambdaric`, and its Lambda Runtime API.

AWS describes the protocol in https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. This
module does not depend on LocalStack.
"""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

API = "/2018-06-01/runtime"
# Seconds between two checks that the process still runs.
POLL = 0.2
STOP_DEADLINE = 2.0
# Seconds until the runtime asks for its first invocation. AWS allows ten. A laptop that starts
# eight processes at once needs more.
INIT_DEADLINE = 60.0


class InitError(Exception):
    """The function could not be loaded. `payload` is the error of the runtime, as JSON."""

    def __init__(self, message: str, payload: bytes) -> None:
        super().__init__(message)
        self.payload = payload


@dataclass(frozen=True)
class Invocation:
    """One event for the function; `deadline` is in seconds from now."""

    request_id: str
    payload: bytes
    arn: str = ""
    trace_id: str = ""
    deadline: float = 3.0


@dataclass(frozen=True)
class Result:
    """The answer or the error of the function, and its output."""

    payload: bytes
    is_error: bool
    logs: str


class Environment:
    """A process of one function, which serves one invocation at a time."""

    def __init__(
        self, python: str, handler: str, code: Path, layers: Sequence[Path], memory: int = 128
    ) -> None:
        self._python, self._handler, self._code, self._layers = python, handler, code, layers
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    def start(self, environment: Mapping[str, object]) -> None:
        """Start the process, and wait until it asks for its first invocation.

        Raises:
            InitError: the process reported an error, exited, or took too long.

        """
        self._environment = {name: str(value) for name, value in environment.items()}
        self._waiting: queue.Queue[Invocation] = queue.Queue()
        # Reports of the runtime: "ready", "init error", or the end of an invocation.
        self._reports: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = _server(self._waiting, self._reports)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        paths = [self._code, *(layer / "python" for layer in self._layers)]
        self._process = subprocess.Popen(
            [self._python, "-m", "awslambdaric", self._handler],
            cwd=self._code,
            env={
                "PATH": os.environ.get("PATH", ""),
                **self._environment,
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                "LAMBDA_TASK_ROOT": str(self._code),
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        report, payload = self._listen(INIT_DEADLINE)
        if report != "ready":
            logs = self._printed(0)
            self.stop()
            raise InitError(f"The function did not start: {report}\n{logs}", payload)

    def invoke(self, invocation: Invocation) -> Result:
        """Run the function once. Replace the process if it exits or takes too long."""
        start, begun = self._output.seek(0, os.SEEK_END), time.monotonic()
        self._waiting.put(invocation)
        report, payload = self._listen(invocation.deadline)
        logs = self._report(invocation, self._printed(start), time.monotonic() - begun)
        if report in ("response", "error"):
            self._listen(INIT_DEADLINE)  # wait until it is ready for the next one
            return Result(payload, report == "error", logs)
        self.stop()
        self.start(self._environment)
        if report == "timeout":
            payload = _error(
                f"{invocation.request_id} Task timed out after {invocation.deadline:.2f} seconds"
            )
        return Result(payload, is_error=True, logs=logs)

    def stop(self) -> None:
        """Stop the process and its server."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._waiting.put(Invocation("", b""))  # releases a request that still waits
        self._server.shutdown()
        self._server.server_close()

    def logs(self) -> str:
        """Return all output of the process."""
        return self._printed(0)

    def _listen(self, deadline: float) -> tuple[str, bytes]:
        assert self._process
        end = time.monotonic() + deadline
        while True:
            try:
                return self._reports.get(timeout=max(0.0, min(POLL, end - time.monotonic())))
            except queue.Empty:
                if self._process.poll() is not None:
                    status = self._process.returncode
                    return "exit", _error(
                        f"Runtime exited with status {status}", "Runtime.ExitError"
                    )
                if time.monotonic() >= end:
                    return "timeout", _error(f"The process did not answer within {deadline:.0f} s")

    def _printed(self, start: int) -> str:
        length = os.fstat(self._output.fileno()).st_size - start
        return os.pread(self._output.fileno(), length, start).decode(errors="replace")

    def _report(self, invocation: Invocation, printed: str, seconds: float) -> str:
        id_, milliseconds = invocation.request_id, seconds * 1000
        if printed and not printed.endswith("\n"):
            printed += "\n"
        return (
            f"START RequestId: {id_} Version: $LATEST\n{printed}END RequestId: {id_}\n"
            f"REPORT RequestId: {id_}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {self._memory} MB\t"
            f"Max Memory Used: {self._memory} MB"
        )


def _error(message: str, kind: str = "") -> bytes:
    body = {"errorMessage": message} | ({"errorType": kind} if kind else {})
    return json.dumps(body).encode()


def _server(
    waiting: "queue.Queue[Invocation]", reports: "queue.Queue[tuple[str, bytes]]"
) -> ThreadingHTTPServer:
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # without this, each call takes 40 ms more
        wbufsize = -1

        def do_GET(self) -> None:
            reports.put(("ready", b""))
            invocation = waiting.get()
            self._answer(
                200,
                invocation.payload,
                {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(
                        int((time.time() + invocation.deadline) * 1000)
                    ),
                    "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                    "Lambda-Runtime-Trace-Id": invocation.trace_id,
                },
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            path = urlsplit(self.path).path.removeprefix(API)
            self._answer(202, b'{"status": "OK"}', {})
            reports.put(("init error" if path == "/init/error" else path.rpartition("/")[2], body))

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            """Log nothing, because LocalStack logs its own requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    return server
