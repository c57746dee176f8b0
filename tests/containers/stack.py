"""A stack in containers, as `DOCKER=1 make up` starts it, in a copy of the checkout."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from flashsale_local.deployment.target import Target
from flashsale_local.stack.ports import DEFAULT_PORTS
from flashsale_local.stack.program import free_port
from tests.helpers.checkout import copy_checkout, python_path

ENVIRONMENTS = (".venv", ".venv-localstack")


class Stack:
    """The stack and the shell of its user.

    Attributes:
        folder: the copy of the checkout.
        environment: the variables of the shell. All ports are moved, because the usual ones may be
            taken.

    """

    def __init__(self, folder: Path, engine: Mapping[str, str]) -> None:
        self.folder = copy_checkout(folder, ENVIRONMENTS)
        inherited = {
            name: value
            for name, value in engine.items()
            if not name.startswith(("AWS_", "POWERTOOLS_"))
        }
        self.environment = {
            **inherited,
            **{name: str(free_port()) for name in DEFAULT_PORTS},
            "PYTHONPATH": python_path(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "EMULATOR": "localstack",
            "DOCKER": "1",
            "AUTH": "none",
            "COLUMNS": "200",
        }

    def run(self, *command: str, status: int = 0, **environment: str) -> str:
        """Run a command in the folder; require its status, and return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert done.returncode == status, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def flashsale(self, *words: str, status: int = 0, **environment: str) -> str:
        """Run `flashsale` of the copy."""
        call = "from flashsale_local.cli import main; main()"
        return self.run(sys.executable, "-c", call, *words, status=status, **environment)

    def docker(self, *words: str, status: int = 0) -> str:
        """Run `docker`."""
        return self.run("docker", *words, status=status)

    def port(self, name: str) -> str:
        """Return the port of a server, for example of the EDGE."""
        return self.environment[f"FLASHSALE_{name}_PORT"]

    @property
    def target(self) -> Target:
        """The addresses of the running stack."""
        os.environ.pop("EMULATOR", None)
        return Target.load(self.folder / ".local")
