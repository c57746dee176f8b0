"""Runs `flashsale` on a stack in another folder than .local: the folder, then the arguments.

A build would take half a minute, and tests that run beside would share its files. So `up` waits
here when its servers run and the build would begin, until it is interrupted.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale_local import paths

paths.LOCAL = Path(sys.argv.pop(1))

from flashsale_local.cli import main  # noqa: E402 - it reads the folder
from flashsale_local.deployment import deploy  # noqa: E402


@contextmanager
def _nobody_else() -> Iterator[None]:
    yield


def _wait(*_: object, **__: object) -> None:
    sys.stdout.write("the build begins\n")
    sys.stdout.flush()
    threading.Event().wait()


deploy.build, deploy.building = _wait, _nobody_else
sys.argv[0] = "flashsale"
main()
