"""The migrate function: brings the database to the newest schema, from inside its subnet."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from flashsale.postgres_store.migrations import migrate
from flashsale.runtime.process import run

logger = Logger()
MIGRATIONS = Path(__file__).parent / "migrations"


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Apply the missing migrations and return the names of their files. The event is not read."""
    applied = run(lambda services: migrate(services.database, MIGRATIONS))
    logger.info("migrated", extra={"applied": applied})
    return {"applied": applied}
