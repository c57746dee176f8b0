"""Valkey and PostgreSQL for one measurement, so that a running local stack is not touched."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale.config import Settings
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack

# A stack refuses to start if a port is taken, also one that it needs only later.
SERVERS = ("VALKEY", "POSTGRES", "EMULATOR", "PROVIDER")


@contextmanager
def own_stores() -> Iterator[Settings]:
    """Start both servers empty, without tables, on free ports; stop them at the end of the block.

    Yield settings with their addresses.
    """
    with tempfile.TemporaryDirectory(prefix="flashsale-loadtest-") as folder:
        ports = {f"FLASHSALE_{name}_PORT": str(free_port()) for name in SERVERS}
        stack = Stack(Path(folder), {**os.environ, **ports})
        try:
            stack.up(lambda _: None, emulator=False)
            yield Settings(stack.redis_url, stack.database_url)
        finally:
            stack.down()
