"""Migrations: applies the numbered SQL files of a folder in order, each once."""

from pathlib import Path
from typing import LiteralString

from flashsale.postgres_store.database import Connection, Database

# Seconds for one statement: indexing a large table takes minutes. No Lambda function runs longer.
LONGEST = 900.0
LOCK = 0x666C617368  # "flash": a number that no other program uses as an advisory lock


async def migrate(database: Database, folder: Path) -> list[str]:
    """Apply the pending files in one transaction; return their names."""
    async with database.transaction(silence=LONGEST) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        pending = await _pending(connection, folder)
        for path in pending:
            statements: LiteralString = path.read_text()
            await connection.execute(statements)
            await connection.execute("INSERT INTO schema_migrations VALUES (%s)", [path.name])
        return [path.name for path in pending]


async def _pending(connection: Connection, folder: Path) -> list[Path]:
    cursor = await connection.execute("SELECT name FROM schema_migrations")
    applied = {row["name"] for row in await cursor.fetchall()}
    return [path for path in sorted(folder.glob("*.sql")) if path.name not in applied]
