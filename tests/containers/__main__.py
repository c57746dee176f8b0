"""`make test-containers`: run the tests in an engine that ends with them.

Arguments go to pytest. With TEST_DOCKER_HOST, the tests use an engine that runs, and the images of
its registries.
"""

import os
import signal
import subprocess
import sys

from flashsale_local.console import show
from flashsale_local.paths import LOCAL, ROOT
from tests.containers.engine import NoEngine, in_use, own_engine, remove_everything
from tests.containers.stand_ins import make_all

FOLDER = LOCAL / "containers"
# The first test waits until the stack is up.
LONGEST = "--timeout=900"


def main(arguments: list[str]) -> int:
    """Return pytest's exit status, or EX_UNAVAILABLE where no engine can be had."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the engine ends, too
    if host := os.environ.get("TEST_DOCKER_HOST"):
        environment = {**os.environ, "DOCKER_HOST": host}
        if what := in_use(environment):
            show(f"The engine at {host} has a stack, which the tests would delete: {what}")
            return 1
        return _pytest(arguments, environment)
    try:
        with own_engine(FOLDER) as environment:
            remove_everything(environment)
            make_all(environment)
            return _pytest(arguments, environment)
    except NoEngine as reason:
        show(f"The tests in containers were not run: {reason}.")
        return os.EX_UNAVAILABLE


def _pytest(arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "tests/containers", LONGEST, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
