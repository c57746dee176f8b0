"""The connection to PostgreSQL: one pool a process, and driver errors in this package's words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from flashsale.errors import ConfigError, DatabaseUnavailable, OrderRejected
from flashsale.postgres_store.connection import WatchedConnection
from flashsale.postgres_store.errors import ErrorKind, classify_error

# A URL, or what makes one each time that the pool dials (a password that does not last).
Address = str | Callable[[], Awaitable[str]]

Connection = WatchedConnection

# Seconds until a buyer hears that PostgreSQL does not answer.
CONNECT_TIMEOUT = 2
# Seconds after which a lost connection is given up; whoever needs one next dials at once. The
# pool's default doubles its pause for five minutes: an outage would last longer for buyers.
RECONNECT_TIMEOUT = 1.0
# Seconds for one statement of a batch: thousands of rows take a tenth of a second, and a few more
# where batches wait for each other's locks. Together with what a connection may take it is less
# than a queue function has.
BATCH_SILENCE = 5.0
# Seconds for statements over all orders of a product, and for those of an operator's tools.
LONG_SILENCE = 30.0
LONG_STATEMENTS = dict.fromkeys(("select_books", "select_buyers", "select_supply"), LONG_SILENCE)


@cache
def sql(name: str) -> LiteralString:
    """The text of the statement `sql/<name>.sql`, which says what it does and what it takes."""
    # psycopg takes literal strings only, as proof that a query holds no input; a file is as good.
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
    return text


class Database:
    """A pool of connections that opens itself on first use.

    Raises from every transaction:
        DatabaseUnavailable: PostgreSQL does not answer, or not now; try again. A server that is
            silent is given up after 2 s before the first statement, and after `silence` later.
        OrderRejected: a constraint or a value that PostgreSQL refuses; trying again cannot help.

    Raises ConfigError when it is made of a URL that libpq cannot read.
    """

    def __init__(self, address: Address, pool_size: int) -> None:
        if isinstance(address, str):
            _refuse_unreadable(address)
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            address,
            connection_class=WatchedConnection,
            kwargs={"row_factory": dict_row, "connect_timeout": CONNECT_TIMEOUT},
            min_size=0,
            max_size=pool_size,
            timeout=CONNECT_TIMEOUT,
            reconnect_timeout=RECONNECT_TIMEOUT,
            # A sale outlives a restart of PostgreSQL: never hand out a connection that is dead.
            check=self._check,
            open=False,
        )

    async def _check(self, connection: Connection) -> None:
        connection.silence = WatchedConnection.silence  # the last transaction may have had another
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.OperationalError:
            # The others are as old: else each of them costs one more caller the whole wait.
            await self._pool.drain()
            raise

    @asynccontextmanager
    async def transaction(self, *, silence: float | None = None) -> AsyncIterator[Connection]:
        """One transaction: committed at the end of the block, rolled back if it raises.

        Args:
            silence: seconds that one statement may take; 2 if not given, which suits a request.

        """
        try:
            await self._pool.open()
            async with self._pool.connection() as connection:
                connection.silence = silence or connection.silence
                yield connection
        except psycopg.Error as error:
            match classify_error(error):
                case ErrorKind.RETRYABLE:
                    raise DatabaseUnavailable(f"PostgreSQL: {_first_line(error)}") from error
                case ErrorKind.REJECTED:
                    constraint = error.diag.constraint_name or ""
                    raise OrderRejected(_first_line(error), constraint) from error
            raise

    async def fetch_one(self, statement: str, **parameters: Any) -> DictRow | None:
        """Run one named statement in a transaction of its own; its first row, or None."""
        async with self.transaction(silence=LONG_STATEMENTS.get(statement)) as connection:
            cursor = await connection.execute(sql(statement), parameters)
            return await cursor.fetchone()

    async def fetch_all(self, statement: str, **parameters: Any) -> list[DictRow]:
        """Run one named statement in a transaction of its own; all its rows."""
        async with self.transaction(silence=LONG_STATEMENTS.get(statement)) as connection:
            cursor = await connection.execute(sql(statement), parameters)
            return await cursor.fetchall()

    async def run(self, statement: str, **parameters: Any) -> None:
        """Run one named statement that returns no rows, in a transaction of its own."""
        async with self.transaction() as connection:
            await connection.execute(sql(statement), parameters)

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless PostgreSQL answers and takes writes."""
        row = await self.fetch_one("show_read_only")
        if row and row["read_only"]:
            raise DatabaseUnavailable("PostgreSQL: it is read only")

    async def close(self) -> None:
        """Close the connections; for tests and tools, a Lambda keeps them."""
        await self._pool.close()


def _refuse_unreadable(url: str) -> None:
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text quotes the password, and the pool would log it
        raise ConfigError(
            "DATABASE_URL has another form (is % in a password escaped?); it should look like "
            "postgresql://user:password@host:port/db"
        ) from None


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
