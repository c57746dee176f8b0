"""Real servers for tests: Valkey and PostgreSQL on free ports, in a temporary folder."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale.config import Settings
from flashsale.postgres_store.migrations import migrate
from flashsale.services import Services
from flashsale_local.paths import MIGRATIONS
from flashsale_local.sale.seed import seed
from flashsale_local.stack.program import free_port
from flashsale_local.stack.stack import Stack
from tests.helpers.support import USERS


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start Valkey and PostgreSQL. The emulator can be added later."""
    folder = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
    servers = ("VALKEY", "POSTGRES", "EMULATOR", "PROVIDER")
    environment = {f"FLASHSALE_{name}_PORT": str(free_port()) for name in servers}
    stack = Stack(folder, {**environment, "EMULATOR": os.environ.get("EMULATOR", "")})
    stack.up(lambda _: None, emulator=False)
    yield stack
    stack.down()
    shutil.rmtree(folder)


def settings_of(stack: Stack) -> Settings:
    """Return the settings of a function in this stack. Its queue is a closed port."""
    return Settings(
        redis_url=stack.redis_url,
        database_url=stack.database_url,
        orders_queue_url=f"http://127.0.0.1:{free_port()}/000000000000/orders",
        database_pool_size=16,
    )


def migrate_and_seed(settings: Settings) -> None:
    """Create the schema and the buyers."""

    async def prepare() -> None:
        services = Services(settings)
        await migrate(services.database, MIGRATIONS)
        await seed(services, USERS, [], 0)
        await services.close()

    asyncio.run(prepare())
