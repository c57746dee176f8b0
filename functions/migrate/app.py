"""The migrate function: brings the database to the newest schema, from inside its subnet."""

import asyncio
import os
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from flashsale.config import Settings
from flashsale.database import Database
from flashsale.migrations import migrate

logger = Logger()
MIGRATIONS = Path(__file__).parent / "migrations"


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply what is missing; returns the names of the files applied. The event is not read."""
    applied = asyncio.run(_migrate(Settings.from_mapping(os.environ)))
    logger.info("migrated", extra={"applied": applied})
    return {"applied": applied}


async def _migrate(settings: Settings) -> list[str]:
    database = Database(settings.database_url, pool_size=1)
    try:
        return await migrate(database, MIGRATIONS)
    finally:
        await database.close()
