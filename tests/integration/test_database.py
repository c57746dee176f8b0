"""The connection to PostgreSQL across an outage."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from flashsale.errors import DatabaseUnavailable
from flashsale.postgres_store.database import Database
from flashsale_local.stack.program import HOST, free_port


@asynccontextmanager
async def forwarding(port, url):
    """Forward another port to the PostgreSQL at `url` until the block ends."""
    upstream = urlsplit(url)
    pipes = set()

    async def pipe(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
        finally:
            writer.close()

    async def serve(reader, writer):
        there = await asyncio.open_connection(upstream.hostname, upstream.port)
        pipes.add(asyncio.create_task(pipe(reader, there[1])))
        pipes.add(asyncio.create_task(pipe(there[0], writer)))

    server = await asyncio.start_server(serve, HOST, port)
    try:
        yield
    finally:
        server.close()
        for task in pipes:
            task.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)


async def test_the_first_buyer_after_an_outage_is_served(migrated):
    """The pool reconnects at once, however long the outage was."""
    port = free_port()
    parts = urlsplit(migrated.database_url)
    there = parts._replace(netloc=f"{parts.username}@{HOST}:{port}").geturl()
    database = Database(there, pool_size=2)
    async with forwarding(port, migrated.database_url):
        await database.ping()

    # After four attempts of a buyer's length, the default backoff would be 8 s and more.
    for _ in range(4):
        with pytest.raises(DatabaseUnavailable):
            await database.ping()

    async with forwarding(port, migrated.database_url):
        await database.ping()
        await database.close()
