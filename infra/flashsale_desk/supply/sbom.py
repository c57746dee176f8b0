"""`make sbom`: a bill of materials (CycloneDX) of each thing that we ship, in .local/sbom.

The bills are made from the pins and not committed. The same pins make the same bytes. With IMAGE,
one more is made from the files of that image.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from flashsale_desk.supply.pins import SHIPPED, read_pins
from flashsale_local.console import console, errors
from flashsale_local.paths import LOCAL, ROOT
from flashsale_local.problems import Problem

FOLDER = LOCAL / "sbom"
AUDIT_BIN = ROOT / ".venv-audit" / "bin"
CYCLONEDX = AUDIT_BIN / "cyclonedx-py"
# What the template and the image run by default.
PYTHON, PLATFORM = "3.13", "x86_64-manylinux_2_28"
# What a bill of the image is made from: see its Dockerfile.
COPIED = ("/srv/packages", "/var/lib/dpkg/status", "/usr/lib/os-release")


def write(name: str, requirements: Path, folder: Path = FOLDER) -> Path:
    """Write the bill of materials of one shipped thing; return its path.

    Raises:
        Problem: its packages cannot be installed, or the bill differs from the pins.

    """
    bill = folder / f"{name}.cdx.json"
    with tempfile.TemporaryDirectory() as packages:
        _install(requirements, packages)
        _list_packages(packages, bill)
    listed = {_normal(part["name"]) for part in json.loads(bill.read_text())["components"]}
    pinned = {_normal(pin.name) for pin in read_pins(requirements) if pin.is_shipped}
    if listed != pinned:
        raise Problem(
            f"{bill} and {requirements} differ in {', '.join(sorted(listed ^ pinned))}.",
            "Run requirements/compile. If that changes nothing, there is an error in "
            "infra/flashsale_desk/supply/sbom.py.",
        )
    return bill


def write_of_image(image: str, folder: Path = FOLDER) -> Path:
    """Write the bill of materials of an image: what is in it, whatever our pins say.

    Its files are copied out of a container that never runs.

    Raises:
        Problem: there is no `docker`, or it has no such image.

    """
    bill = folder / "image.cdx.json"
    (found,) = json.loads(_docker("image", "inspect", image))
    settings, labels = found["Config"], found["Config"]["Labels"] or {}
    variables = dict(entry.partition("=")[::2] for entry in settings["Env"] or [])
    described = {
        "name": image,
        "version": labels.get("org.opencontainers.image.version", ""),
        "digest": found["Id"].removeprefix("sha256:"),
        "python": variables.get("PYTHON_VERSION", ""),  # where it is not a package of Debian
    }
    with tempfile.TemporaryDirectory() as copied:
        container = _docker("create", "--network", "none", image).strip()
        try:
            for path in COPIED:
                _docker("cp", f"{container}:{path}", copied)
        finally:
            _docker("rm", container)
        _list_packages(f"{copied}/packages", bill)
        _run(
            [str(AUDIT_BIN / "python"), "-m", "flashsale_desk.supply.image_bill",
             str(bill), copied, json.dumps(described)],
            PYTHONPATH=str(ROOT / "infra"),
        )  # fmt: skip
    return bill


def _list_packages(folder: str, bill: Path) -> None:
    """Write the bill of the Python packages in a folder."""
    bill.parent.mkdir(parents=True, exist_ok=True)
    # Without `site`, this Python sees no other packages.
    options = ["-S", "--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml")]
    _run(
        [str(CYCLONEDX), "environment", *options, "--output-file", str(bill), sys.executable],
        PYTHONPATH=folder,
    )


def _docker(*words: str) -> str:
    if not shutil.which("docker"):
        raise Problem("There is no `docker` on PATH, which has the image.", "Leave out IMAGE.")
    return _run(["docker", *words])


def _install(requirements: Path, target: str) -> None:
    """Install the wheels that Lambda and the image get, whatever this machine is."""
    uv = str(Path(sys.executable).parent / "uv")
    which = ["--python-version", PYTHON, "--python-platform", PLATFORM, "--only-binary", ":all:"]
    what = ["--no-deps", "--require-hashes", "--requirement", str(requirements)]
    _run([uv, "pip", "install", "--quiet", "--target", target, *which, *what])


def _run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-8:])
        raise Problem(f"`{Path(command[0]).name}` failed: {last}", "Fix what it names.")
    return done.stdout


def _normal(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def main() -> None:
    """Write all bills, and print where they are."""
    for name, requirements in SHIPPED.items():
        console.print(str(write(name, requirements).relative_to(ROOT)))
    if image := os.environ.get("IMAGE"):
        console.print(str(write_of_image(image).relative_to(ROOT)))
    else:
        errors.print(
            "A built image lists Debian's packages, too: make sbom IMAGE=flashsale-edge",
            style="dim",
        )


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"{problem.cause}\n{problem.way_out}")
