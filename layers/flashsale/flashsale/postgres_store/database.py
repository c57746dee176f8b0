"""Access to PostgreSQL: one connection pool per process, and translated driver errors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from flashsale.errors import ConfigError, DatabaseUnavailable, OrderRejected, RowLocked
from flashsale.postgres_store.connection import WatchedConnection
from flashsale.postgres_store.errors import ErrorKind, classify_error

# A URL, or a function that returns one for each new connection (if the password expires).
Address = str | Callable[[], Awaitable[str]]

Connection = WatchedConnection

# Seconds until a buyer learns that PostgreSQL does not answer.
CONNECT_TIMEOUT = 2
# Seconds for which the pool tries to replace a lost connection. Later, the next request opens a new
# one at once. By default the pool doubles its pause for five minutes, which prolongs an outage.
RECONNECT_TIMEOUT = 1.0
# Seconds for one statement of a batch. Thousands of rows take a tenth of a second, and more if
# batches wait for each other's locks. With the time to connect, it is less than a queue function
# has.
BATCH_SILENCE = 5.0
# Seconds for statements over all orders of a product, and for those of the operator's tools.
LONG_SILENCE = 30.0
LONG_STATEMENTS = {
    **dict.fromkeys(("select_books", "select_buyers", "select_supply"), LONG_SILENCE),
    "select_statuses": BATCH_SILENCE,
}
# Names of statements that only read. They need no BEGIN and COMMIT, which are exchanges.
READS = ("select_", "show_")


@cache
def sql(name: str) -> LiteralString:
    """Return the statement `sql/<name>.sql`. Its header documents purpose and parameters."""
    # psycopg accepts literal strings only, as proof that a query has no input in it. A file is as
    # safe.
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
    return text


class Database:
    """A connection pool that opens on first use.

    Every transaction raises:
        DatabaseUnavailable: PostgreSQL is unavailable; a retry may help. It has 2 s to answer
            before the first statement, and `silence` seconds for each statement. It is RowLocked
            after the `lock_timeout` of a statement.
        OrderRejected: PostgreSQL rejects a value, or a constraint does; a retry cannot help.

    The constructor raises ConfigError for a URL that libpq cannot parse.
    """

    def __init__(self, address: Address, pool_size: int) -> None:
        if isinstance(address, str):
            _reject_malformed(address)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            address,
            connection_class=WatchedConnection,
            kwargs={"row_factory": dict_row, "connect_timeout": CONNECT_TIMEOUT},
            min_size=0,
            max_size=pool_size,
            timeout=CONNECT_TIMEOUT,
            reconnect_timeout=RECONNECT_TIMEOUT,
            # A sale must survive a restart of PostgreSQL, so never hand out a dead connection.
            check=self._check,
            open=False,
        )

    async def _check(self, connection: Connection) -> None:
        # The last transaction may have set another value.
        connection.silence = WatchedConnection.silence
        if connection.just_answered:
            return
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.OperationalError:
            # The other connections are as old. Each would cost another request the same wait.
            await self._pool.drain()
            raise

    @asynccontextmanager
    async def transaction(self, *, silence: float | None = None) -> AsyncIterator[Connection]:
        """Open a transaction: commit at the end of the block, roll back if the block raises.

        Args:
            silence: seconds that one statement may take; by default 2, for a buyer's request.

        """
        async with self._connection(autocommit=False, silence=silence) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(
        self, *, autocommit: bool = True, silence: float | None = None
    ) -> AsyncIterator[Connection]:
        """Take a connection on which each statement is a transaction, or all of them are one."""
        try:
            await self._pool.open()
            async with self._pool.connection() as connection:
                connection.silence = silence or connection.silence
                if connection.autocommit != autocommit:
                    await connection.set_autocommit(autocommit)
                yield connection
        except psycopg.Error as error:
            match classify_error(error):
                case ErrorKind.RETRYABLE:
                    locked = isinstance(error, psycopg.errors.LockNotAvailable)
                    unavailable = RowLocked if locked else DatabaseUnavailable
                    raise unavailable(f"PostgreSQL: {_first_line(error)}") from error
                case ErrorKind.REJECTED:
                    constraint = error.diag.constraint_name or ""
                    raise OrderRejected(_first_line(error), constraint) from error
            raise

    async def fetch_one(self, statement: str, **parameters: Any) -> DictRow | None:
        """Run a named statement in a transaction of its own; return its first row, or None."""
        return next(iter(await self.fetch_all(statement, **parameters)), None)

    async def fetch_all(self, statement: str, **parameters: Any) -> list[DictRow]:
        """Run a named statement in a transaction of its own; return all rows."""
        begin = self._connection if statement.startswith(READS) else self.transaction
        async with begin(silence=LONG_STATEMENTS.get(statement)) as connection:
            cursor = await connection.execute(sql(statement), parameters)
            return await cursor.fetchall()

    async def run(self, statement: str, **parameters: Any) -> None:
        """Run a named statement that returns no rows, in a transaction of its own."""
        async with self.transaction() as connection:
            await connection.execute(sql(statement), parameters)

    async def write_at_once(self, statement: str, **parameters: Any) -> list[DictRow]:
        """Run a named statement in a transaction of its own, in one exchange; return all rows.

        It may take `BATCH_SILENCE` seconds, and has to limit its waits for locks itself.
        """
        async with self._connection(silence=BATCH_SILENCE) as connection:
            with connection.uncancelled():
                cursor = await connection.execute(sql(statement), parameters)
            return await cursor.fetchall() if cursor.description else []

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless PostgreSQL responds and accepts writes."""
        row = await self.fetch_one("show_read_only")
        if row and row["read_only"]:
            raise DatabaseUnavailable("PostgreSQL: it is read only")

    async def close(self) -> None:
        """Close all connections. Tests and tools need it; a Lambda function keeps them open."""
        await self._pool.close()


def _reject_malformed(url: str) -> None:
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text quotes the password, and the pool would log it
        raise ConfigError(
            "DATABASE_URL is malformed (escape % in a password); it should look like "
            "postgresql://user:password@host:port/db"
        ) from None


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
