"""A replica that PostgreSQL waits for and that never answers."""

from contextlib import asynccontextmanager

import psycopg

from tests.helpers.support import until


class Replica:
    """A replica that PostgreSQL waits for, and that does not exist."""

    def __init__(self, connection):
        self._connection = connection

    async def lose(self):
        await self._connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
        await self._reload("gone")
        # The checkpointer tells the backends whether anybody is to be waited for.
        await self._connection.execute("CHECKPOINT")

    async def forget(self):
        await self._connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await self._reload("")

    async def is_awaited(self):
        cursor = await self._connection.execute(
            "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        )
        return await cursor.fetchone() is not None

    async def _reload(self, name):
        await self._connection.execute("SELECT pg_reload_conf()")

        async def is_set():
            cursor = await self._connection.execute("SHOW synchronous_standby_names")
            return (await cursor.fetchone())[0] == name

        await until(is_set)


@asynccontextmanager
async def replica_of(url):
    """Yield a `Replica` of the PostgreSQL at `url`, and forget it at the end."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SET synchronous_commit = local")
        replica = Replica(connection)
        try:
            yield replica
        finally:
            await replica.forget()
