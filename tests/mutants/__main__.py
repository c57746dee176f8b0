"""Plant one fault after another in a copy of the checkout. Each must make its tests fail.

`make test-mutants` runs it. It prints a table, and ends with status 1 if a fault survives, its text
is no longer in its file, or its tests are not green without it.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from flashsale_local.console import show
from tests.helpers.checkout import copy_checkout, python_path
from tests.mutants import holds, page, planted, rooms, sold_out, streams
from tests.mutants.planted import Fault

FAULTS = [
    fault for module in (planted, sold_out, holds, rooms, streams, page) for fault in module.FAULTS
]
# Copies of the checkout that run tests concurrently. Most of their time is waiting.
COPIES = 3
# Seconds for the tests of one fault, which may make them wait forever.
LONGEST = 300
IN_A_COPY = {"PYTHONDONTWRITEBYTECODE": "1", "PLANTED": "1"}
ENVIRONMENTS = (".venv", ".venv-emulator")


def main() -> int:
    """Plant all faults, or those whose guarantee contains a word of the command line."""
    faults = [one for one in FAULTS if all(word in one.breaks for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory(prefix="flashsale-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(COPIES):
            copies.put(copy_checkout(Path(folder) / str(number), ENVIRONMENTS))
        copy = copies.get()
        needed = sorted({test for fault in faults for test in fault.tests})
        status, output = _pytest(copy, needed)
        copies.put(copy)
        if status:
            show(f"{output}\nThe tests must be green before a fault is planted.")
            return 1

        def judge(fault: Fault) -> tuple[Fault, str, float]:
            copy, began = copies.get(), time.monotonic()
            try:
                return fault, _verdict(copy, fault), time.monotonic() - began
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(COPIES) as pool:
            return _report(pool.map(judge, faults))


def _report(judged: Iterable[tuple[Fault, str, float]]) -> int:
    survived = 0
    for fault, problem, seconds in judged:
        survived += bool(problem)
        show(f"{problem or 'red':10} {seconds:5.1f} s  {fault.breaks}  ({fault.file})")
    show(f"{survived} faults were not found by their tests" if survived else "all faults found")
    return int(survived > 0)


def _verdict(copy: Path, fault: Fault) -> str:
    """Return what is wrong with the tests of this fault, or "" if each of them fails."""
    path = copy / fault.file
    before = path.read_text()
    if before.count(fault.text) != 1:
        return "NO TEXT"
    path.write_text(before.replace(fault.text, fault.by))
    try:
        status, output = _pytest(copy, fault.tests)
    finally:
        path.write_text(before)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    missed = [
        test for test in fault.tests if not any(re.split(r"\[", one)[0] == test for one in failed)
    ]
    return "SURVIVED" if status != 1 or missed else ""


def _pytest(copy: Path, tests: Iterable[str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=copy,
        env={**os.environ, "PYTHONPATH": python_path(copy), **IN_A_COPY},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
