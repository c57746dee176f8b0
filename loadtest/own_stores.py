"""Valkey and PostgreSQL for one measurement, so that a running local stack is not touched."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale.config import Settings
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack

PORTS = ("FLASHSALE_VALKEY_PORT", "FLASHSALE_POSTGRES_PORT")


@contextmanager
def own_stores() -> Iterator[Settings]:
    """Start both servers empty, without tables, on free ports; stop them at the end of the block.

    Yield settings with their addresses.
    """
    with tempfile.TemporaryDirectory(prefix="flashsale-loadtest-") as folder:
        ports = {name: str(free_port()) for name in PORTS}
        stack = Stack(Path(folder), {**os.environ, **ports})
        try:
            stack.up(lambda _: None, emulator=False)
            yield Settings(stack.redis_url, stack.database_url)
        finally:
            stack.down()
