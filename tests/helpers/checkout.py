"""A copy of the checkout, for a test that changes files."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from flashsale_local.paths import ROOT

SOURCES = ("", "layers/flashsale", "infra")


def copy_checkout(target: Path, environments: Iterable[str]) -> Path:
    """Copy all files that git knows or would take; link the named virtual environments."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        source, copied = ROOT / name, target / name
        if source.exists():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copied, follow_symlinks=False)
    for name in environments:
        (target / name).symlink_to(ROOT / name)
    return target


def python_path(copy: Path) -> str:
    """Return the PYTHONPATH with which Python runs the code of the copy."""
    return os.pathsep.join(str(copy / source) for source in SOURCES)
