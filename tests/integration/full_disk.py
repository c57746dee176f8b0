"""Two ways to fill the disk under a folder: a small file system, or a limit on file sizes."""

import resource
from contextlib import suppress


class Tmpfs:
    """A small file system that can be filled."""

    def __init__(self, folder):
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, _):
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self, _):
        self._ballast.unlink()


class Limit:
    """A limit that lets no file of the workers grow, for machines without the right to mount."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self, edge):
        size = max(file.stat().st_size for file in self.folder.iterdir())
        self._limit(edge, size)

    def free(self, edge):
        self._limit(edge, resource.RLIM_INFINITY)

    def _limit(self, edge, size):
        for pid in edge.workers:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
