"""Reads the stores during a sale, in a process of its own (`python -m loadtest.bench.watch`).

In a separate process, its driver calls do not delay the load client's requests. It writes a line of
JSON (`Watch`) for each reading, until its standard input is closed.
"""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TextIO

from flashsale.domain.model import ON_POSTGRES
from flashsale.errors import ServiceUnavailable
from flashsale.services import Services
from flashsale_local.deployment.target import Target
from flashsale_server.queues.depths import depths
from loadtest.bench.results import Watch

# Seconds between two readings. Each costs about ten milliseconds of CPU time.
EVERY = 0.5


@contextmanager
def watching(target: Target, product_id: str) -> Iterator[list[Watch]]:
    """Yield a list that is filled when the block ends; seconds count from its start."""
    seen: list[Watch] = []
    command = [sys.executable, "-m", "loadtest.bench.watch", json.dumps(asdict(target)), product_id]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()  # the process is ready
        began = time.time()
        try:
            yield seen
        finally:
            output, _ = process.communicate(timeout=30)
    for line in output.splitlines():
        look = Watch.model_validate_json(line)
        look.seconds -= began
        if look.postgres_seconds is not None:
            look.postgres_seconds -= began
        seen.append(look)


async def _watch(target: Target, product_id: str, stop: TextIO) -> None:
    target.export()
    # Its warnings are also raised as errors.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    closed = asyncio.create_task(asyncio.to_thread(stop.read))
    async with target.services(DATABASE_POOL_SIZE="1") as services:
        await _look(services, target, product_id)  # opens the connections
        print("ready", flush=True)  # noqa: T201
        while not closed.done():
            print((await _look(services, target, product_id)).model_dump_json(), flush=True)  # noqa: T201
            await asyncio.wait([closed], timeout=EVERY)


async def _look(services: Services, target: Target, product_id: str) -> Watch:
    seen = Watch(seconds=time.time())
    with suppress(ServiceUnavailable):
        snapshot = await services.ledger.snapshot(product_id, count_claims=True)
        if snapshot and snapshot.generation not in ON_POSTGRES:
            seen.stock, seen.unsettled = snapshot.stock, snapshot.unsettled
    with suppress(ServiceUnavailable):
        (row,) = await services.database.fetch_all("select_books", ids=[product_id])
        seen.confirmed, seen.postgres_seconds = row["confirmed"], time.time()
        if seen.stock is None:
            seen.stock = row["stock"]
    waiting = await asyncio.to_thread(depths, target.queues)
    seen.queue, seen.dead = waiting["orders"].total, waiting["dlq"].total
    return seen


if __name__ == "__main__":
    asyncio.run(_watch(Target(**json.loads(sys.argv[1])), sys.argv[2], sys.stdin))
