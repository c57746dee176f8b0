"""Starts ministack with one copy of each package of code on disk, for all workers.

ministack 1.5.33 unpacks the function and its layer anew for each worker: 80 MB and half a second.
Here the first worker unpacks a package, and the workers' folders are links to it. On AWS this code
is read-only, so no function writes into it.

Only the standard library and ministack are in this environment.
"""

import contextlib
import hashlib
import shutil
import tempfile
import types
import zipfile
from pathlib import Path
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime

PACKAGES = Path(tempfile.gettempdir()) / "packages"


class SharedZip(zipfile.ZipFile):
    """A package of code that is unpacked once."""

    def extractall(self, path: Any = None, *_: Any) -> None:
        """Replace the empty folder `path` by a link to the unpacked package; delete the package."""
        source = Path(str(self.filename))
        with source.open("rb") as content:
            unpacked = PACKAGES / hashlib.file_digest(content, "sha256").hexdigest()
        if not unpacked.exists():
            PACKAGES.mkdir(exist_ok=True)
            own = tempfile.mkdtemp(dir=PACKAGES)
            super().extractall(own)
            # Of workers that start at once, one wins.
            with contextlib.suppress(OSError):
                Path(own).rename(unpacked)
            shutil.rmtree(own, ignore_errors=True)
        Path(path).rmdir()
        Path(path).symlink_to(unpacked)
        source.unlink()


# Only the module of the warm workers sees it.
lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})

if __name__ == "__main__":
    main()
