"""Metrics that Redis and PostgreSQL report about themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from prometheus_client import Metric
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from flashsale.errors import DatabaseUnavailable
from flashsale.services import Services
from flashsale_server.exporter.families import counter, gauge

CONNECTIONS = """
SELECT coalesce(state, 'unknown') AS state, count(*) AS count FROM pg_stat_activity
WHERE backend_type = 'client backend' GROUP BY 1
"""
TRANSACTIONS = """
SELECT xact_commit AS commits, xact_rollback AS rollbacks, deadlocks,
       current_setting('max_connections')::int AS max_connections
FROM pg_stat_database WHERE datname = current_database()
"""
LONGEST = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float AS seconds
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""
HAS_STATEMENTS = "SELECT to_regclass('pg_stat_statements') IS NOT NULL AS yes"
# The statements with the largest total time, shown by their first 80 characters.
STATEMENTS = """
SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 80) AS statement,
       sum(calls) AS calls, sum(total_exec_time) / 1000 AS seconds
FROM pg_stat_statements GROUP BY 1 ORDER BY 3 DESC LIMIT 5
"""


async def read_redis(services: Services) -> list[Metric]:
    """Return commands, memory, clients, and whether claims still reach the append-only file."""
    info: Mapping[str, Any] = await services.redis.info()
    # Redis also reports "ok" for a file that it does not write.
    last = {info.get("aof_last_write_status"), info.get("aof_last_bgrewrite_status")}
    healthy = bool(info["aof_enabled"]) and last == {"ok"}

    def one(value: float) -> list[tuple[Sequence[str], float]]:
        return [((), float(value))]

    return [
        counter("redis_commands", "Commands processed", one(info["total_commands_processed"])),
        gauge("redis_memory_bytes", "Memory used", one(info["used_memory"])),
        gauge("redis_clients", "Connections of clients", one(info["connected_clients"])),
        gauge("redis_aof_enabled", "1 where claims are durable", one(info["aof_enabled"])),
        gauge("redis_aof_healthy", "1 while writes and rewrites of it succeed", one(healthy)),
        gauge("redis_aof_bytes", "Size of the file", one(info.get("aof_current_size", 0))),
        counter(
            "redis_aof_delayed_fsyncs", "Writes that waited for an fsync",
            one(info.get("aof_delayed_fsync", 0)),
        ),
    ]  # fmt: skip


async def read_postgres(services: Services) -> list[Metric]:
    """Return connections, transactions, the longest running statement, and the slowest ones.

    The slowest statements need the extension pg_stat_statements and the permission to read it. The
    PostgreSQL that the local stack starts without Docker has no such extension.
    """
    async with services.database.transaction() as connection:
        by_state = await _rows(connection, CONNECTIONS)
        (totals,) = await _rows(connection, TRANSACTIONS)
        (longest,) = await _rows(connection, LONGEST)
    statements = await _read_statements(services)
    connections = [((row["state"],), row["count"]) for row in by_state]
    transactions = [((name,), totals[f"{name}s"]) for name in ("commit", "rollback")]
    maximum, deadlocks = totals["max_connections"], totals["deadlocks"]
    seconds = [((row["statement"],), float(row["seconds"])) for row in statements]
    calls = [((row["statement"],), float(row["calls"])) for row in statements]
    return [
        gauge("postgres_connections", "Connections of clients", connections, "state"),
        gauge("postgres_max_connections", "Connections allowed", [((), maximum)]),
        counter("postgres_transactions", "Transactions ended", transactions, "end"),
        counter("postgres_deadlocks", "Deadlocks", [((), deadlocks)]),
        gauge(
            "postgres_longest_statement_seconds",
            "Age of the oldest statement or transaction that is not idle",
            [((), longest["seconds"])],
        ),
        counter("postgres_statement_seconds", "Time in slow statements", seconds, "statement"),
        counter("postgres_statement_calls", "Calls of slow statements", calls, "statement"),
    ]


async def _read_statements(services: Services) -> list[DictRow]:
    """Return the slowest statements; none without the extension or the permission to read it.

    This needs a transaction of its own: an error in it must not look as if PostgreSQL were down.
    """
    try:
        async with services.database.transaction() as connection:
            (has_statements,) = await _rows(connection, HAS_STATEMENTS)
            return await _rows(connection, STATEMENTS) if has_statements["yes"] else []
    except (psycopg.Error, DatabaseUnavailable):
        return []


async def _rows(connection: AsyncConnection[DictRow], statement: str) -> list[DictRow]:
    return await (await connection.execute(statement)).fetchall()
