"""A server whose clock a test sets, by libfaketime."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flashsale_local.stack.program import Program
from flashsale_local.stack.stack import Stack


@contextmanager
def clock_of(stack: Stack, program: Program) -> Iterator[Path]:
    """Restart a server with a clock of its own; yield the file that its offset is written to."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "this test needs libfaketime (on Debian: apt install libfaketime)"
    file = stack.directory / f"clock of {program.name}"
    file.write_text("+0")
    environment = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    stack.add(replace(program, environment={**program.environment, **environment}))
    try:
        yield file
    finally:
        stack.add(program)
