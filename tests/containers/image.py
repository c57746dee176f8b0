"""Our image, built for these tests, and containers that run it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flashsale_local.paths import ROOT
from tests.helpers.image import DOCKERFILE

IMAGE = "flashsale-tested"
PROCESSES = {
    "edge": [],
    "relay": ["python", "-m", "flashsale_server.edge.relay"],
    "exporter": ["python", "-m", "flashsale_server.exporter"],
}
PORTS = {"edge": 8000, "relay": 9465, "exporter": 9464}
# What a hardened platform lets a container do.
HARDENED = (
    "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges", "--user", "65534",
)  # fmt: skip


class Docker:
    """The `docker` of the tests' engine."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command; its output is both of its streams."""
        return subprocess.run(
            ["docker", *words], cwd=ROOT, env=self.environment, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __call__(self, *words: str) -> str:
        """Run a command that must succeed, and return its output."""
        done = self.run(*words)
        assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}"
        return done.stdout

    def build(self, *more: str, folder: str = ".") -> str:
        """Build the image, and return what the build says."""
        dockerfile = f"{folder}/{DOCKERFILE.relative_to(ROOT)}"
        words = ["--file", dockerfile, "--tag", IMAGE, *more, folder]
        return self("build", "--progress", "plain", *words)

    def inspect(self, name: str = IMAGE) -> dict[str, object]:
        """Return what the engine knows of an image or a container."""
        (found,) = json.loads(self("inspect", name))
        return dict(found)

    def python(self, code: str, *options: str) -> str:
        """Run code in the image, without a network unless an option names one."""
        network = () if "--network" in options else ("--network", "none")
        return self("run", "--rm", *HARDENED, *network, *options, IMAGE, "python", "-c", code)

    @contextmanager
    def container(self, process: str, *options: str) -> Iterator["Container"]:
        """Run a process of the image, hardened, until the end of the block."""
        publish = ("--publish", f"127.0.0.1::{PORTS[process]}")
        words = [*HARDENED, *publish, *options, IMAGE, *PROCESSES[process]]
        container = Container(self, self("run", "--detach", *words).strip())
        try:
            yield container
        finally:
            self("rm", "--force", container.id)


class Container:
    """A running container."""

    def __init__(self, docker: Docker, id_: str) -> None:
        self._docker, self.id = docker, id_

    @property
    def url(self) -> str:
        """Where its port is published."""
        return f"http://{self._docker('port', self.id).split()[-1]}"

    @property
    def log(self) -> str:
        """What it has written."""
        return self._docker("logs", self.id)

    def read(self, path: str) -> str:
        """Return the content of a file in it."""
        return self._docker("exec", self.id, "cat", path)

    def signal_to_end(self) -> None:
        """Send SIGTERM, and wait for nothing."""
        self._docker("kill", "--signal", "TERM", self.id)

    def end(self) -> int:
        """Stop it as `docker stop` does without options; return its exit status."""
        self._docker("stop", self.id)
        return self.exit_status()

    def exit_status(self) -> int:
        """Wait until it has ended, and return its exit status."""
        return int(self._docker("wait", self.id))
