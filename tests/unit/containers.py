"""A checkout whose stack runs in containers. A small program stands in for docker."""

import importlib
import json
import os
import pkgutil
import sys

from typer.testing import CliRunner

import flashsale_local.cli
from flashsale_local.cli import app

DOCKER = """#!/bin/sh
echo "$@" >> {folder}/calls
env > {folder}/environment
test -e "{folder}/broken-$2" && {{ echo "Cannot connect to the Docker daemon." >&2; exit 1; }}
case "$1 $2" in
    "compose ps") case "$*" in *--quiet*) echo abc ;; *) cat {folder}/containers.json ;; esac ;;
    "inspect --format") echo '["AUTH=jwt", "CORS_ORIGINS", "JWT_SECRET=a=b"]' ;;
esac
"""


class Checkout:
    """The folder of the stack, the shell, and what docker was called with."""

    def __init__(self, folder, monkeypatch):
        self.local, self._docker = folder / "local", folder / "docker"
        self._docker.mkdir()
        program = self._docker / "docker"
        program.write_text(DOCKER.format(folder=self._docker))
        program.chmod(0o755)
        self.show()
        monkeypatch.setenv("PATH", f"{self._docker}:{os.environ['PATH']}")
        for variable in ("DOCKER", "EMULATOR", "AUTH", "AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(variable, "")
            monkeypatch.delenv(variable)
        for command in pkgutil.iter_modules(flashsale_local.cli.__path__, "flashsale_local.cli."):
            if not command.name.endswith("__main__"):
                importlib.import_module(command.name)
        for name, module in list(sys.modules.items()):
            if name.startswith("flashsale_local.") and name != "flashsale_local.paths":
                monkeypatch.setattr(module, "LOCAL", self.local, raising=False)

    def show(self, **ports):
        """Let docker list these containers: the port of each by service."""
        rows = [
            {
                "Service": name,
                "Name": f"flashsale-{name}-1",
                "State": "running" if port else "exited",
                "Publishers": [{"PublishedPort": port}] if port else None,
            }
            for name, port in ports.items()
        ]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self._docker / "containers.json").write_text(lines)

    def break_docker(self, word):
        """Let `docker … WORD` fail."""
        (self._docker / f"broken-{word}").touch()

    @property
    def calls(self):
        """The calls of docker until now, which this forgets."""
        path = self._docker / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    @property
    def environment(self):
        """The environment of docker's last call."""
        lines = (self._docker / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def run(self, *words):
        """Run `flashsale`."""
        return CliRunner().invoke(app, words)
