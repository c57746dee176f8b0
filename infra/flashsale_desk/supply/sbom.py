"""`make sbom`: a bill of materials (CycloneDX) of each thing that we ship, in .local/sbom.

The bills are made from the pins and not committed. The same pins make the same bytes.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from flashsale_desk.supply.pins import SHIPPED, read_pins
from flashsale_local.console import console
from flashsale_local.paths import LOCAL, ROOT
from flashsale_local.problems import Problem

FOLDER = LOCAL / "sbom"
CYCLONEDX = ROOT / ".venv-audit" / "bin" / "cyclonedx-py"
# What the template and the image run by default.
PYTHON, PLATFORM = "3.13", "x86_64-manylinux_2_28"


def write(name: str, requirements: Path, folder: Path = FOLDER) -> Path:
    """Write the bill of materials of one shipped thing; return its path.

    Raises:
        Problem: its packages cannot be installed, or the bill differs from the pins.

    """
    folder.mkdir(parents=True, exist_ok=True)
    bill = folder / f"{name}.cdx.json"
    with tempfile.TemporaryDirectory() as packages:
        _install(requirements, packages)
        # Without `site`, this Python sees no other packages.
        options = ["-S", "--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml")]
        _run(
            [str(CYCLONEDX), "environment", *options, "--output-file", str(bill), sys.executable],
            PYTHONPATH=packages,
        )
    listed = {_normal(part["name"]) for part in json.loads(bill.read_text())["components"]}
    pinned = {_normal(pin.name) for pin in read_pins(requirements) if pin.is_shipped}
    if listed != pinned:
        raise Problem(
            f"{bill} and {requirements} differ in {', '.join(sorted(listed ^ pinned))}.",
            "Run requirements/compile. If that changes nothing, there is an error in "
            "infra/flashsale_desk/supply/sbom.py.",
        )
    return bill


def _install(requirements: Path, target: str) -> None:
    """Install the wheels that Lambda and the image get, whatever this machine is."""
    uv = str(Path(sys.executable).parent / "uv")
    which = ["--python-version", PYTHON, "--python-platform", PLATFORM, "--only-binary", ":all:"]
    what = ["--no-deps", "--require-hashes", "--requirement", str(requirements)]
    _run([uv, "pip", "install", "--quiet", "--target", target, *which, *what])


def _run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-8:])
        raise Problem(f"`{Path(command[0]).name}` failed: {last}", "Fix what it names.")


def _normal(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    for name, requirements in SHIPPED.items():
        console.print(str(write(name, requirements).relative_to(ROOT)))
