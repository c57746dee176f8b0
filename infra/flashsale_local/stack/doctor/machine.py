"""Checks of the machine: Python, the virtual environments, disk, memory and network."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psutil

from flashsale_local.paths import EMULATOR_VENV, LOCALSTACK_VENV, ROOT
from flashsale_local.stack.doctor.finding import Finding, ok, problem, warning

OLDEST, TOO_NEW = (3, 11), (3, 14)
GIB = 2**30
# Bytes. Below the first `up` fails in the middle of the build, below the second it may.
DISK_NEEDED, DISK_WANTED = GIB // 2, 3 * GIB
MEMORY_WANTED = GIB
PYPI = "https://pypi.org/simple/"
PATIENCE = 3.0  # seconds


def check_machine(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Check what every stack on this machine needs."""
    yield _python(sys.version_info[:2])
    installed = _environment(environment)
    yield installed
    yield _disk(ROOT, shutil.disk_usage(ROOT).free)
    yield _memory(psutil.virtual_memory().available)
    yield _network(environment)


def _python(version: tuple[int, int]) -> Finding:
    text = f"{sys.version.split()[0]}, {sys.executable}"
    if OLDEST <= version < TOO_NEW:
        return ok("Python", text)
    way_out = "Run `PYTHON=/path/to/python3.12 make setup`."
    return problem("Python", f"{text}: it must be 3.11, 3.12 or 3.13", way_out)


def _environment(environment: Mapping[str, str]) -> Finding:
    """Check the emulator's virtual environment; this command runs in the other one."""
    usual = "localstack" if environment.get("DOCKER") else "ministack"
    name = environment.get("EMULATOR") or usual
    folder = LOCALSTACK_VENV if name == "localstack" else EMULATOR_VENV
    setup = f"Run `{'EMULATOR=localstack ' * (name == 'localstack')}make setup`."
    if not os.access(folder / "bin" / "python", os.X_OK):
        return problem("environments", f"{folder} does not have {name}", setup)
    return ok("environments", f"{Path(sys.prefix).name} and {folder.name} are installed")


def _disk(folder: Path, free: int) -> Finding:
    text = f"{free / GIB:.1f} GiB are free in {folder}"
    way_out = "Free some space. `make clean` deletes the data and the build of this checkout."
    if free < DISK_NEEDED:
        return problem("disk", f"{text}; a start needs {DISK_NEEDED / GIB:g}", way_out)
    if free < DISK_WANTED:
        return warning("disk", f"{text}; a first start needs up to {DISK_WANTED / GIB:g}", way_out)
    return ok("disk", text)


def _memory(available: int) -> Finding:
    text = f"{available / GIB:.1f} GiB are available"
    if available < MEMORY_WANTED:
        wanted = f"{text}; the servers and the functions use about {MEMORY_WANTED / GIB:g}"
        return warning("memory", wanted, "End other programs.")
    return ok("memory", text)


def _network(environment: Mapping[str, str]) -> Finding:
    index = environment.get("PIP_INDEX_URL") or PYPI
    try:
        httpx.head(index, timeout=PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return warning(
            "network",
            f"{index} does not answer ({type(error).__name__})",
            "It is needed for the first `make setup` and the first build only. Set "
            "PIP_INDEX_URL to a mirror if you have one.",
        )
    return ok("network", f"{index} answers; after the first build nothing is downloaded")
