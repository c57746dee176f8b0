"""The pins of our requirements files: packages by version and hash, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from flashsale_local.paths import ROOT
from flashsale_local.problems import Problem

# Requirements of what is deployed or built into an image, by the name of its bill of materials.
SHIPPED: Mapping[str, Path] = {
    "-".join(path.parent.relative_to(ROOT).parts): path
    for pattern in ("layers/*/", "functions/*/", "infra/flashsale_server/")
    for path in sorted(ROOT.glob(f"{pattern}requirements.txt"))
}
# What runs on developers' machines and in CI only.
TOOLS = sorted((ROOT / "requirements").glob("*.txt"))

# The Python versions of Lambda and of the image, each with its last release.
_SHIPPED_ON = [
    {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.99",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "extra": "",
    }
    for minor in (11, 12, 13)
]
_VERSION = re.compile(r"[0-9][0-9a-z.+!-]*")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a requirements file; `hashes` counts the files that pip may install."""

    name: str
    version: str
    hashes: int
    marker: Marker | None = None

    @property
    def is_shipped(self) -> bool:
        """Whether any Python on Linux installs it, where our code is deployed."""
        return self.marker is None or any(self.marker.evaluate(env) for env in _SHIPPED_ON)


def read_pins(path: Path) -> list[Pin]:
    """Return all pins of a requirements file.

    Raises:
        Problem: a line is not `name==version --hash=sha256:…`, but has an address or an option.

    """
    lines = path.read_text().replace("\\\n", " ").splitlines()
    return [_pin(path, line) for line in lines if line.strip() and not line.startswith("#")]


def _pin(path: Path, line: str) -> Pin:
    words, hashes = _HASH.subn("", line)
    try:
        asked = Requirement(words.strip())
    except InvalidRequirement:
        asked = Requirement("none")
    version = str(asked.specifier).removeprefix("==")
    if asked.url or not hashes or not _VERSION.fullmatch(version):
        raise Problem(
            f"A line of {path.relative_to(ROOT)} is not a pin with a hash: {words.strip()!r}.",
            "Change the .in file beside it, and run requirements/compile.",
        )
    return Pin(asked.name, version, hashes, asked.marker)
